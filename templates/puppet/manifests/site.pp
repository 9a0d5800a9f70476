# What the provisioner Puppet applies inside the image, after Ansible. The base image must contain Puppet:
# add puppet-agent to packages of linux/null/debian-12-base.
file { '/etc/motd':
  ensure  => file,
  content => "This machine was made from an image; /etc/image-release says which.\n",
}
