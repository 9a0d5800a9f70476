# What makes a machine an image: nothing is left that belongs to this build, or to one machine alone.
locals {
  seal = <<-SH
    # The key of this build.
    rm -rf /root/.ssh /root/.ansible /root/.cache /root/.bash_history /root/.python_history

    # What each copy makes anew at its first boot: host keys, machine id, secret of the credentials.
    rm -f /etc/ssh/ssh_host_* /var/lib/systemd/credential.secret /var/lib/dbus/machine-id
    : >/etc/machine-id

    # The random seed is saved when its service stops, so stop it now, and keep it from the next stop.
    systemctl stop systemd-random-seed.service
    rm -f /var/lib/systemd/random-seed

    # From here on the journal is in memory alone.
    journalctl --relinquish-var
    rm -rf /var/log/journal/*
    find /var/log -type f -exec truncate --size 0 {} +
    rm -f /var/lib/systemd/timers/* /var/lib/systemd/timesync/*

    # Caches and lists of packages, temporary files.
    rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/apt/archives/*.deb
    find /tmp /var/tmp -mindepth 1 -maxdepth 1 ! -name 'systemd-private-*' ! -name 'script_*' -exec rm -rf {} +

    # Give the free blocks back, so that they take no room in the image.
    fstrim --all
    sync
  SH
}
