# What the provisioner Puppet applies inside the image, after Ansible. The base image must contain Puppet:
# add puppet-agent to base_image_packages.
file { '/etc/motd':
  ensure  => file,
  content => "This machine was made from an image; /etc/image-release says which.\n",
}
