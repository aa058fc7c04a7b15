#!/bin/bash
# Start a temporary Slurm on this machine, without systemd (tried with Slurm 22.05.8 of Debian 12).
#
#   NODES=3 CPUS=2 MEM=4000 ACCT=slurmdbd|none CGROUP=auto|0|1 PIDNS=1|0 start-slurm.sh [--fresh]
#
# Needs root. Run again, it starts only what is not running. It writes /etc/slurm, and refuses to do
# so if that folder belongs to another Slurm. With --fresh it first stops its daemons and deletes
# their state: jobs, database and logs.
set -u
BASE=${SLURM_BASE:-$(dirname "$(mktemp -u)")/slurm-test}
RUN=$BASE/run
NODES=${NODES:-3}      # number of nodes: node1 ..., all on 127.0.0.1, ports 17001 ...
CPUS=${CPUS:-2}        # CPUs that each node offers, possibly more than the machine has
MEM=${MEM:-4000}       # MB that each node offers
ACCT=${ACCT:-slurmdbd} # slurmdbd: mariadb and slurmdbd, so that sacct works; none: without
CGROUP=${CGROUP:-auto} # 1: limits by cgroups (v1, with writable hierarchies); 0: by polling
PIDNS=${PIDNS:-1}      # 1: a PID namespace per node, so that killing it is a loss of power
MINJOBAGE=${MINJOBAGE:-300}
JOBREQUEUE=${JOBREQUEUE:-1}
HERE=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$BASE" || exit 1
T0=$(date +%s.%N)

say() {
  local seconds
  seconds=$(echo "$(date +%s.%N) $T0" | awk '{print $1-$2}')
  printf '[%6.2fs] %s\n' "$seconds" "$*"
}

die() {
  say "FAILED: $*"
  for f in "$RUN"/log/*; do
    echo "--- $f"
    tail -n 8 "$f"
  done 2>/dev/null
  exit 1
}

[ "$(id -u)" = 0 ] || die "needs root"
MARK="# written by cellstack's tests/cluster/start-slurm.sh"
if [ -e /etc/slurm/slurm.conf ]; then
  head -1 /etc/slurm/slurm.conf | grep -qxF "$MARK" || die "/etc/slurm belongs to another Slurm"
fi
if [ "${1:-}" = --fresh ]; then
  "$HERE/stop-slurm.sh" --purge || exit 1
fi

# 1. packages ------------------------------------------------------------------
pk="munge slurmctld slurmd slurm-client"
if [ "$ACCT" = slurmdbd ]; then
  pk="$pk slurmdbd slurm-wlm-mysql-plugin mariadb-server-core mariadb-client-core"
fi
missing=$(for p in $pk; do
  dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q ' installed$' || echo "$p"
done)
apt_install() { apt-get install -y -q --no-install-recommends $missing; }
if [ -n "$missing" ]; then
  say "apt-get install:" $missing
  export DEBIAN_FRONTEND=noninteractive
  # keep the packages from starting daemons (most containers already have such a file)
  policy=/usr/sbin/policy-rc.d written=""
  if [ ! -e $policy ]; then
    written=1
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 755 $policy
  fi
  { apt_install || { apt-get update -q && apt_install; }; } >"$BASE/apt.log" 2>&1
  rc=$?
  [ -n "$written" ] && rm -f $policy
  [ $rc = 0 ] || { tail -5 "$BASE/apt.log"; die "apt-get install"; }
  say "installed"
fi

# 2. directories, keys, configuration ------------------------------------------
mkdir -p "$RUN"/{pid,log,state,spool,db} /etc/slurm
chmod 755 "$BASE" "$RUN"
[ -s "$RUN/pidns" ] || echo "$PIDNS" >"$RUN/pidns"
install -d -o munge -g munge -m 755 /run/munge
install -d -o munge -g munge -m 700 /var/lib/munge /var/log/munge /etc/munge
if [ ! -s /etc/munge/munge.key ]; then
  head -c 128 /dev/urandom >/etc/munge/munge.key
  chown munge:munge /etc/munge/munge.key
  chmod 600 /etc/munge/munge.key
fi
HOST=$(hostname -s)
getent hosts "$HOST" >/dev/null || echo "127.0.0.1 $HOST" >>/etc/hosts
if [ "$CGROUP" = auto ]; then
  CGROUP=1
  for c in memory freezer cpuset cpuacct devices; do
    probe=/sys/fs/cgroup/$c/slurm_probe
    { mkdir "$probe" && rmdir "$probe"; } 2>/dev/null || CGROUP=0
  done
  say "cgroup limits: $CGROUP"
fi
if [ "$CGROUP" = 1 ]; then
  PLUG='ProctrackType=proctrack/cgroup
TaskPlugin=task/cgroup
JobAcctGatherType=jobacct_gather/cgroup
JobAcctGatherFrequency=task=1'
else # by polling: a job that uses more than --mem is killed at the next sample
  PLUG='ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill'
fi
if [ "$ACCT" = slurmdbd ]; then
  ACC='AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort=16819'
else
  ACC='AccountingStorageType=accounting_storage/none'
fi
cat >/etc/slurm/slurm.conf <<CONF
$MARK
ClusterName=test
SlurmctldHost=$HOST(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
MpiDefault=none
MailProg=/bin/true
SlurmctldPort=16817
SlurmctldPidFile=$RUN/pid/slurmctld.daemon
SlurmctldLogFile=$RUN/log/slurmctld.log
StateSaveLocation=$RUN/state
SlurmdSpoolDir=$RUN/spool/%n
SlurmdPidFile=$RUN/pid/slurmd.%n.daemon
SlurmdLogFile=$RUN/log/slurmd.%n.log
# CPUs and memory of the NodeName lines need not be those of the machine
SlurmdParameters=config_overrides
$PLUG
SwitchType=switch/none
# settings for tests: detect lost nodes, kill and schedule quickly
SlurmdTimeout=10
SlurmctldTimeout=10
MessageTimeout=10
KillWait=3
UnkillableStepTimeout=30
InactiveLimit=0
Waittime=0
ReturnToService=2
OverTimeLimit=0
# refuse at submission what no node can run (otherwise it would be pending for ever)
EnforcePartLimits=ALL
MinJobAge=$MINJOBAGE
JobRequeue=$JOBREQUEUE
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=2,sched_interval=2,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
MaxArraySize=1001
$ACC
AccountingStoreFlags=job_comment
JobCompType=jobcomp/none
NodeName=node[1-$NODES] NodeHostname=$HOST NodeAddr=127.0.0.1 Port=[17001-$((17000+NODES))] \\
  CPUs=$CPUS RealMemory=$MEM State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=240 DefaultTime=5 DefMemPerCPU=100 State=UP
PartitionName=short Nodes=ALL MaxTime=2 DefMemPerCPU=100 State=UP
CONF
if [ "$NODES" = 1 ]; then
  sed -i 's/node\[1-1\]/node1/; s/\[17001-17001\]/17001/' /etc/slurm/slurm.conf
fi
cat >/etc/slurm/cgroup.conf <<CONF
CgroupAutomount=no
ConstrainCores=no
ConstrainRAMSpace=yes
ConstrainSwapSpace=yes
AllowedSwapSpace=0
CONF
if [ "$ACCT" = slurmdbd ]; then
cat >/etc/slurm/slurmdbd.conf <<CONF
AuthType=auth/munge
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort=16819
SlurmUser=root
LogFile=$RUN/log/slurmdbd.log
PidFile=$RUN/pid/slurmdbd.daemon
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort=13306
StorageUser=slurm
StoragePass=slurmtest
StorageLoc=slurm_acct_db
CONF
chmod 600 /etc/slurm/slurmdbd.conf
fi

# 3. daemons -------------------------------------------------------------------
start_time() { # pid; prints nothing if the process has ended or is a zombie
  sed -n 's/.*) \([^ZX] .*\)/\1/p' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20
}

is_running() { # name: whether the process that was started under it is still there
  local file=$RUN/pid/$1.pid pid started
  [ -s "$file" ] || return 1
  read -r pid started <"$file"
  [ -n "$started" ] && [ "$(start_time "$pid")" = "$started" ]
}

spawn() { # name, command...: start it in the background, and store its pid and start time
  local name=$1 pid
  shift
  is_running "$name" && { say "$name is running already"; return; }
  setsid nohup "$@" >"$RUN/log/$name.out" 2>&1 </dev/null &
  pid=$!
  sleep 0.05
  echo "$pid $(start_time "$pid")" >"$RUN/pid/$name.pid"
  say "started $name (pid $pid)"
}

wait_for() { # seconds, what, command...
  local left=$(( $1 * 10 )) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    left=$((left - 1))
    [ $left -le 0 ] && die "waiting for $what"
    sleep 0.1
  done
  say "$what ready"
}

munge_works() { munge -n </dev/null | unmunge; }
if ! munge_works >/dev/null 2>&1; then
  spawn munged setpriv --reuid munge --regid munge --clear-groups munged -F
  wait_for 10 munge munge_works
fi
if [ "$ACCT" = slurmdbd ]; then
  my() { mariadb --no-defaults -S "$RUN/db.sock" -u root "$@"; }
  if [ ! -d "$RUN/db/mysql" ]; then
    mariadb-install-db --no-defaults --user=root --datadir="$RUN/db" --skip-test-db \
      --auth-root-authentication-method=normal >"$RUN/log/mariadb-install.out" 2>&1 ||
      die mariadb-install-db
    say "database created"
  fi
  spawn mariadbd mariadbd --no-defaults --user=root --datadir="$RUN/db" --socket="$RUN/db.sock" \
    --pid-file="$RUN/pid/mariadbd.daemon" --bind-address=127.0.0.1 --port=13306 \
    --innodb-buffer-pool-size=64M --innodb-lock-wait-timeout=900 \
    --innodb-flush-log-at-trx-commit=0 --skip-log-bin
  wait_for 30 mariadb my -e 'select 1'
  my -e "create database if not exists slurm_acct_db;
    create user if not exists 'slurm'@'localhost' identified by 'slurmtest';
    create user if not exists 'slurm'@'127.0.0.1' identified by 'slurmtest';
    grant all on slurm_acct_db.* to 'slurm'@'localhost';
    grant all on slurm_acct_db.* to 'slurm'@'127.0.0.1'" || die "database user"
  spawn slurmdbd slurmdbd -D
  wait_for 30 slurmdbd sacctmgr -n list cluster
  if ! sacctmgr -n list cluster format=cluster%20 | grep -qw test; then
    sacctmgr -i add cluster test >/dev/null || die "sacctmgr add cluster"
  fi
fi
spawn slurmctld slurmctld -D
wait_for 20 slurmctld scontrol ping
for i in $(seq "$NODES"); do
  "$HERE/node-slurm.sh" start "node$i" | sed 's/^/          /'
done
nodes_ready() {
  local ready
  ready=$(sinfo -h -N -p main -t idle,mix,alloc,comp -o %N | sort -u | wc -l)
  [ "$ready" = "$NODES" ]
}
wait_for 40 "$NODES node(s)" nodes_ready
sinfo
