#!/bin/sh
# install.sh install | program | uninstall: called by the Makefile, which sets these variables.
#
#   DESTDIR        in front of every path that is written, for packages and images; this host is left alone then
#   PREFIX         a directory of its own for the program: virtual environment, failure hook, drop-ins
#   UNITDIR SYSUSERSDIR TMPFILESDIR
#                  where systemd looks
#   BINDIR DATADIR where the link to the command goes; above man page and completions
#   PYTHON         makes the virtual environment; the service must be able to read it
#   VENV_INSTALL   0: leave the virtual environment as it is
#   RELOAD_CLASSIC 1: systemd has no Type=notify-reload; 0: it has; auto: ask systemd-analyze
#
# `program` makes PREFIX alone, to try a new version beside the old one.  What `install` makes outside PREFIX is listed
# in PREFIX/share/reconciler/installed; `uninstall` and the next `install` go by it.
# Never removed: /etc/reconciler, /var/lib/reconciler, the user, drop-ins in /etc/systemd/system.
set -eu
cd "$(dirname "$0")/.."

root=$DESTDIR$PREFIX
share=$root/share/reconciler
list=$share/installed
config=/etc/reconciler
state=/var/lib/reconciler

die() {
    printf '%s\n' "$@" >&2
    exit 1
}

# Whether this host's systemd is to know of it.
live() {
    [ -z "$DESTDIR" ] && [ -d /run/systemd/system ]
}

# ---- what can be wrong, before anything is written

check_prefix() {
    case $PREFIX in
        [!/]* | '' | */ | *//* | */./* | */. | */../* | */.. | *[!A-Za-z0-9/._+-]*)
            die "PREFIX=$PREFIX: give an absolute path of letters, digits and . _ + - (units and scripts will hold it)" ;;
        /home | /home/* | /root | /root/* | /run | /run/* | /tmp | /tmp/* | /var/tmp | /var/tmp/*)
            die "PREFIX=$PREFIX: the service cannot see that place (ProtectHome=, PrivateTmp=); /opt/reconciler is usual" ;;
    esac
    # It is replaced and removed as a whole.
    [ -e "$list" ] || [ -z "$(ls -A "$root" 2>/dev/null)" ] ||
        die "PREFIX=$PREFIX: $root holds other things; give a directory of its own, like /opt/reconciler"
}

check_python() {
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
        die "$PYTHON is missing or older than 3.11; say make install PYTHON=/usr/bin/python3.x"
    "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null ||
        die "$PYTHON has no venv: install python3-venv (Debian, Ubuntu)"
    real=$("$PYTHON" -c 'import os, sys; print(os.path.realpath(sys._base_executable or sys.executable))')
    case $real in /home/* | /root/* | /run/* | /tmp/* | /var/tmp/*)
        die "$PYTHON is $real, which the service cannot see (ProtectHome=, PrivateTmp=)" \
            "say make install PYTHON=/usr/bin/python3, or another 3.11 or later outside the homes" ;;
    esac
}

# ---- PREFIX

# The environment is made beside PREFIX and then takes its place: a failed download changes nothing.
make_venv() {
    new=$root.new tools=$(mktemp -d)
    trap 'rm -rf "$tools" "$new"' EXIT
    rm -rf "$new"
    mkdir -p "$(dirname "$root")"
    "$PYTHON" -m venv "$tools/venv"
    pip="$tools/venv/bin/python -m pip --disable-pip-version-check --quiet"
    # What builds the wheel, with its hashes, from the lock of those who develop.
    awk '/^[a-z0-9]/ { if (take) printf "%s", block; block = ""; take = /^hatchling==/ }
         { block = block $0 "\n" }
         /^ *# +(via )?hatchling$/ { take = 1 }
         END { if (take) printf "%s", block }' requirements-dev.lock > "$tools/build.lock"
    # shellcheck disable=SC2086 # several words
    {
        $pip install --require-hashes --only-binary :all: -r "$tools/build.lock"
        $pip wheel --no-deps --no-build-isolation --wheel-dir "$tools/wheel" .
        "$PYTHON" -m venv --without-pip "$new"
        $pip --python "$new/bin/python" install --no-compile --require-hashes --only-binary :all: -r requirements.lock
        $pip --python "$new/bin/python" install --no-compile --no-deps --no-index "$tools"/wheel/*.whl
    }
    # Now, for the service may not write there; and with the paths that they will have.
    "$new/bin/python" -m compileall -q -s "$new" -p "$PREFIX" "$new/lib"
    # Scripts name the place where they were made.
    grep -rlIF "$new" "$new/bin" "$new/pyvenv.cfg" | while read -r file; do
        text=$(sed "s|$new|$PREFIX|g" "$file") && printf '%s\n' "$text" > "$file"
    done
    [ ! -e "$share" ] || { mkdir -p "$new/share" && mv "$share" "$new/share/"; }
    rm -rf "$root"
    mv "$new" "$root"
}

# put MODE FILE PATH: FILE as DESTDIR/PATH, with its paths made ours.
put() {
    mkdir -p "$(dirname "$DESTDIR$3")"
    sed -e "s|/opt/reconciler|$PREFIX|g" -e "s|@VERSION@|$version|g" "$2" > "$DESTDIR$3.new"
    chmod "$1" "$DESTDIR$3.new"
    mv -f "$DESTDIR$3.new" "$DESTDIR$3"
}

program() {
    check_prefix
    if [ "$VENV_INSTALL" != 0 ]; then
        check_python
        make_venv
    fi
    version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' reconciler/__init__.py)
    put 755 systemd/reconciler-failure "$PREFIX/libexec/reconciler-failure"
    for file in systemd/drop-ins/*.conf; do
        put 644 "$file" "$PREFIX/share/reconciler/drop-ins/${file##*/}"
    done
    [ -e "$list" ] || : > "$list"
}

# ---- outside PREFIX

# As put, and on the list.
place() {
    put "$@"
    printf '%s\n' "$3" >> "$list.new"
}

place_if_there() {
    [ ! -e "$2" ] || place "$@"
}

link_command() {
    link=$BINDIR/reconciler
    if [ -e "$DESTDIR$link" ] && [ "$(readlink "$DESTDIR$link")" != "$PREFIX/bin/reconciler" ]; then
        echo "$link is something else and stays; the command is $PREFIX/bin/reconciler" >&2
    else
        mkdir -p "$DESTDIR$BINDIR"
        ln -sf "$PREFIX/bin/reconciler" "$DESTDIR$link"
        echo "$link" >> "$list.new"
    fi
}

# Whether `systemctl reload` needs help: 0 yes, 1 no.
reload_is_classic() {
    case $RELOAD_CLASSIC in
        1) return 0 ;;
        0) return 1 ;;
        auto) ;;
        *) die "RELOAD_CLASSIC=$RELOAD_CLASSIC: it is 0, 1 or auto" ;;
    esac
    if ! command -v systemd-analyze > /dev/null; then
        echo "no systemd-analyze here to ask: for a systemd before 253 say make install RELOAD_CLASSIC=1" >&2
        return 1
    fi
    try=$(mktemp -d)
    printf '[Service]\nType=notify-reload\nExecStart=/bin/true\n' > "$try/try.service"
    told=$(systemd-analyze verify --man=no "$try/try.service" 2>&1) || true
    rm -rf "$try"
    case $told in *notify-reload*) return 0 ;; *) return 1 ;; esac
}

install() {
    program
    : > "$list.new"
    for file in systemd/*.service systemd/*.timer; do
        place 644 "$file" "$UNITDIR/${file##*/}"
    done
    if reload_is_classic; then
        for unit in reconciler.service reconciler@.service; do
            place 644 systemd/drop-ins/20-reload-classic.conf "$UNITDIR/$unit.d/20-reload-classic.conf"
        done
    fi
    place 644 systemd/sysusers.d/reconciler.conf "$SYSUSERSDIR/reconciler.conf"
    place 644 systemd/tmpfiles.d/reconciler.conf "$TMPFILESDIR/reconciler.conf"
    link_command
    place_if_there 644 docs/reconciler.8 "$DATADIR/man/man8/reconciler.8"
    place_if_there 644 completions/reconciler.bash "$DATADIR/bash-completion/completions/reconciler"
    place_if_there 644 completions/_reconciler "$DATADIR/zsh/site-functions/_reconciler"
    place_if_there 644 completions/reconciler.fish "$DATADIR/fish/vendor_completions.d/reconciler.fish"
    # What an earlier version had placed and this one has not.
    grep -vxFf "$list.new" "$list" | remove || true
    mv "$list.new" "$list"
    if live; then
        systemd-sysusers "$SYSUSERSDIR/reconciler.conf"
        systemd-tmpfiles --create "$TMPFILESDIR/reconciler.conf"
        # Here already, so that what is run by hand before the first start has the same lock.
        [ -e "$state" ] || command install -d -m 750 -o reconciler -g reconciler "$state"
        systemctl daemon-reload
    fi
    next_steps
}

next_steps() {
    echo "reconciler $version is in $PREFIX, its units in $UNITDIR."
    if [ -n "$DESTDIR" ]; then
        echo "On the host: systemd-sysusers, systemd-tmpfiles --create, systemctl daemon-reload."
        return
    fi
    live || echo "systemd does not run here; on the host: systemd-sysusers, systemd-tmpfiles --create, daemon-reload."
    running=$(systemctl list-units --plain --no-legend 'reconciler.service' 'reconciler@*.service' 2>/dev/null) || running=
    if [ -n "$running" ]; then
        echo "Running with the version before, until restarted:"
        printf '%s\n' "$running" | sed 's/ .*//; s/^/    systemctl restart /'
        return
    fi
    cat << END
Next:
    1. config            $config/conf.d/*.yaml, readable by the group reconciler
    2. credentials       an instance profile, or $config/environment (AWS_PROFILE=..., AWS_CONFIG_FILE=...),
                         or $PREFIX/share/reconciler/drop-ins/10-static-keys.conf
    3. look, as the service would
                         sudo systemd-run -qPG -p User=reconciler -p EnvironmentFile=-$config/environment \\
                             $PREFIX/bin/reconciler plan --config $config/conf.d --state-dir $state
    4. start             systemctl enable --now reconciler
    5. watch             systemctl status reconciler; journalctl -fu reconciler
More (several stacks, timers, proxies): docs/install.md
END
}

# Paths on stdin; folders that are empty after it go too.
remove() {
    while read -r path; do
        rm -f "$DESTDIR$path"
        case $path in *.d/*) rmdir "$DESTDIR${path%/*}" 2>/dev/null || true ;; esac
    done
}

uninstall() {
    [ -e "$list" ] || die "nothing from make install is in $root; say PREFIX= as it was then"
    check_prefix
    # A list without files is that of a program alone (`program`), with which no service runs.
    if live && [ -s "$list" ]; then
        systemctl disable --quiet reconciler.service reconciler@.service reconciler-once@.timer || true
        systemctl stop 'reconciler.service' 'reconciler@*.service' 'reconciler-once@*.timer' 'reconciler-once@*.service' || true
    fi
    remove < "$list"
    rm -rf "$root"
    if live; then systemctl daemon-reload; fi
    echo "Gone from $root.  Left, and yours to remove:"
    echo "    $config  $state  /etc/systemd/system/reconciler*.d  the user reconciler"
}

case ${1:-} in
    install | program | uninstall) "$1" ;;
    *) die "usage: install.sh install | program | uninstall (through make)" ;;
esac
