#!/bin/sh
# pid1.sh FOLDER TREE [SOURCE TARGET]...: become systemd as the first process of namespaces of its own.  See lab.py.
#
# The host's root is the lower layer of an overlay on tmpfs: nothing that is written inside stays.  TREE is copied over
# it, each SOURCE is mounted at TARGET, to be read only.  FOLDER/booting appears right before systemd takes over.
set -eu
# Outside such namespaces all this would happen to the host.
[ $$ -eq 1 ] || { echo "to be run by unshare, as the first process of a PID namespace" >&2; exit 64; }
folder=$1 tree=$2
shift 2
layers=$folder/layers
root=$layers/root

mkdir -p "$layers"
mount -t tmpfs tmpfs "$layers"
mkdir "$layers/upper" "$layers/work" "$root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$layers/upper,workdir=$layers/work" "$root"
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,ro,bind "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=1777 tmpfs "$root/var/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for node in null zero full random urandom tty; do
    : > "$root/dev/$node"
    mount --bind "/dev/$node" "$root/dev/$node"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s fd/0 "$root/dev/stdin"
ln -s fd/1 "$root/dev/stdout"
ln -s fd/2 "$root/dev/stderr"

# None of the machine's own services, mounts and drop-ins, and nothing that would touch the kernel that is shared.
etc=$root/etc/systemd
rm -rf "$etc/system" "$root"/etc/machine-id
mkdir -p "$etc/system" "$etc/system-generators" "$etc/journald.conf.d"
: > "$root/etc/fstab"
for generator in /lib/systemd/system-generators/* /usr/lib/systemd/system-generators/*; do
    ln -sf /dev/null "$etc/system-generators/${generator##*/}"
done
for unit in modprobe@.service systemd-modules-load.service systemd-sysctl.service systemd-udevd.service \
    systemd-udev-trigger.service systemd-remount-fs.service systemd-random-seed.service systemd-journald-audit.socket \
    dev-hugepages.mount sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount \
    sys-fs-fuse-connections.mount proc-sys-fs-binfmt_misc.automount proc-sys-fs-binfmt_misc.mount; do
    ln -s /dev/null "$etc/system/$unit"
done
printf '[Journal]\nAudit=no\nStorage=volatile\nForwardToConsole=no\n' > "$etc/journald.conf.d/lab.conf"
printf '[Unit]\nRequires=basic.target\nAfter=basic.target\nAllowIsolate=yes\n' > "$etc/system/lab.target"
tr -d - < /proc/sys/kernel/random/uuid > "$root/etc/machine-id"

cp -a "$tree/." "$root/"
while [ $# -gt 1 ]; do
    mkdir -p "$root$2"
    mount --bind "$1" "$root$2"
    mount -o remount,ro,bind "$root$2"
    shift 2
done

: > "$folder/booting"
cd "$root"
mkdir .old
pivot_root . .old
umount -l /.old
rmdir /.old
# As systemd finds it on a host; credentials of services reach them through a mount that is passed on.
mount --make-rshared /
exec env -i container=lab PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --unit=lab.target --log-target=console --show-status=no
