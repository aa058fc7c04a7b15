#!/bin/bash
# start-slurm.sh -- a real throw-away Slurm on one machine (tried with Debian 12: 22.05.8), no systemd.
# Never on a machine that has a Slurm of its own: it writes /etc/slurm, and refuses where that is not of its making.
# Idempotent: run it again and it only starts what is not running. Needs root.
#   NODES=3 CPUS=2 MEM=4000 ACCT=slurmdbd|none CGROUP=auto|0|1 PIDNS=1|0 ./start-slurm.sh [--fresh]
# --fresh  stops everything of ours and deletes all state (jobs, database, logs) first.
set -u
BASE=${SLURM_BASE:-$(dirname "$(mktemp -u)")/slurm-test}; RUN=$BASE/run
NODES=${NODES:-3}      # how many slurmd (node1..nodeN), all on 127.0.0.1, ports 17001..
CPUS=${CPUS:-2}        # CPUs every node claims (may be more than the machine has)
MEM=${MEM:-4000}       # MB every node claims
ACCT=${ACCT:-slurmdbd} # slurmdbd: mariadb + slurmdbd, sacct works; none: no sacct
CGROUP=${CGROUP:-auto} # 1: cgroup limits (v1 memory+freezer+cpuset hierarchies writable); 0: polling; auto
PIDNS=${PIDNS:-1}      # 1: each slurmd in its own PID namespace => kill = power loss
MINJOBAGE=${MINJOBAGE:-300}
JOBREQUEUE=${JOBREQUEUE:-1}
HERE=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$BASE" || exit 1
T0=$(date +%s.%N)
say() { printf '[%6.2fs] %s\n' "$(echo "$(date +%s.%N) $T0" | awk '{print $1-$2}')" "$*"; }
die() { say "FAILED: $*"; for f in "$RUN"/log/*; do echo "--- $f"; tail -n 8 "$f"; done 2>/dev/null; exit 1; }
[ "$(id -u)" = 0 ] || die "needs root"
MARK="# written by cellstack's tests/cluster/start-slurm.sh"
[ ! -e /etc/slurm/slurm.conf ] || head -1 /etc/slurm/slurm.conf | grep -qxF "$MARK" || die "/etc/slurm is that of another Slurm"
[ "${1:-}" = --fresh ] && { "$HERE/stop-slurm.sh" --purge || exit 1; }

# 1. packages ------------------------------------------------------------------
pk="munge slurmctld slurmd slurm-client"
[ "$ACCT" = slurmdbd ] && pk="$pk slurmdbd slurm-wlm-mysql-plugin mariadb-server-core mariadb-client-core"
missing=$(for p in $pk; do dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q ' installed$' || echo "$p"; done)
if [ -n "$missing" ]; then
  say "apt-get install:" $missing
  export DEBIAN_FRONTEND=noninteractive
  # no daemon may be started by the packages (containers mostly have such a file already)
  pol=""; [ -e /usr/sbin/policy-rc.d ] || { pol=1; printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d; }
  { apt-get install -y -q --no-install-recommends $missing || { apt-get update -q && apt-get install -y -q --no-install-recommends $missing; }; } >"$BASE/apt.log" 2>&1; rc=$?
  [ -n "$pol" ] && rm -f /usr/sbin/policy-rc.d
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
  head -c 128 /dev/urandom >/etc/munge/munge.key; chown munge:munge /etc/munge/munge.key; chmod 600 /etc/munge/munge.key
fi
HOST=$(hostname -s)
getent hosts "$HOST" >/dev/null || echo "127.0.0.1 $HOST" >>/etc/hosts
if [ "$CGROUP" = auto ]; then
  CGROUP=1
  for c in memory freezer cpuset cpuacct devices; do
    { mkdir "/sys/fs/cgroup/$c/slurm_probe" && rmdir "/sys/fs/cgroup/$c/slurm_probe"; } 2>/dev/null || CGROUP=0
  done
  say "cgroup limits: $CGROUP"
fi
if [ "$CGROUP" = 1 ]; then
  PLUG=$'ProctrackType=proctrack/cgroup\nTaskPlugin=task/cgroup\nJobAcctGatherType=jobacct_gather/cgroup\nJobAcctGatherFrequency=task=1'
else # memory limits by polling: a job over its --mem is killed at the next sample
  PLUG=$'ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nJobAcctGatherType=jobacct_gather/linux\nJobAcctGatherFrequency=task=1\nJobAcctGatherParams=OverMemoryKill'
fi
if [ "$ACCT" = slurmdbd ]; then
  ACC=$'AccountingStorageType=accounting_storage/slurmdbd\nAccountingStorageHost=127.0.0.1\nAccountingStoragePort=16819'
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
# real CPUs/memory of the machine need not match the NodeName lines
SlurmdParameters=config_overrides
$PLUG
SwitchType=switch/none
# test settings: quick detection of a lost node, quick kill, quick scheduling
SlurmdTimeout=10
SlurmctldTimeout=10
MessageTimeout=10
KillWait=3
UnkillableStepTimeout=30
InactiveLimit=0
Waittime=0
ReturnToService=2
OverTimeLimit=0
# refuse at sbatch what no node can ever run (else: PENDING for ever, PartitionConfig)
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
NodeName=node[1-$NODES] NodeHostname=$HOST NodeAddr=127.0.0.1 Port=[17001-$((17000+NODES))] CPUs=$CPUS RealMemory=$MEM State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=240 DefaultTime=5 DefMemPerCPU=100 State=UP
PartitionName=short Nodes=ALL MaxTime=2 DefMemPerCPU=100 State=UP
CONF
[ "$NODES" = 1 ] && sed -i 's/node\[1-1\]/node1/; s/\[17001-17001\]/17001/' /etc/slurm/slurm.conf
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
st() { sed -n 's/.*) \([^ZX] .*\)/\1/p' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; } # start time; empty for gone and zombie
alive() { # name -> is the process of that name, started by us, still there?
  local f=$RUN/pid/$1.pid p s; [ -s "$f" ] || return 1; read -r p s <"$f"
  [ -n "$s" ] && [ "$(st "$p")" = "$s" ]
}
spawn() { # name command...  (start in background, note pid and start time)
  local n=$1; shift; alive "$n" && { say "$n already runs"; return; }
  setsid nohup "$@" >"$RUN/log/$n.out" 2>&1 </dev/null &
  local p=$!; sleep 0.05
  echo "$p $(st "$p")" >"$RUN/pid/$n.pid"
  say "started $n (pid $p)"
}
wait_for() { # seconds what command...
  local n=$(( $1 * 10 )) w=$2; shift 2
  until "$@" >/dev/null 2>&1; do n=$((n-1)); [ $n -le 0 ] && die "waiting for $w"; sleep 0.1; done; say "$w ready"
}
munge_ok() { munge -n </dev/null | unmunge; }
munge_ok >/dev/null 2>&1 || { spawn munged setpriv --reuid munge --regid munge --clear-groups munged -F; wait_for 10 munge munge_ok; }
if [ "$ACCT" = slurmdbd ]; then
  my() { mariadb --no-defaults -S "$RUN/db.sock" -u root "$@"; }
  if [ ! -d "$RUN/db/mysql" ]; then
    mariadb-install-db --no-defaults --user=root --datadir="$RUN/db" --skip-test-db --auth-root-authentication-method=normal >"$RUN/log/mariadb-install.out" 2>&1 || die mariadb-install-db
    say "database created"
  fi
  spawn mariadbd mariadbd --no-defaults --user=root --datadir="$RUN/db" --socket="$RUN/db.sock" --pid-file="$RUN/pid/mariadbd.daemon" \
     --bind-address=127.0.0.1 --port=13306 --innodb-buffer-pool-size=64M --innodb-lock-wait-timeout=900 --innodb-flush-log-at-trx-commit=0 --skip-log-bin
  wait_for 30 mariadb my -e 'select 1'
  my -e "create database if not exists slurm_acct_db; create user if not exists 'slurm'@'localhost' identified by 'slurmtest'; create user if not exists 'slurm'@'127.0.0.1' identified by 'slurmtest'; grant all on slurm_acct_db.* to 'slurm'@'localhost'; grant all on slurm_acct_db.* to 'slurm'@'127.0.0.1'" || die "database user"
  spawn slurmdbd slurmdbd -D
  wait_for 30 slurmdbd sacctmgr -n list cluster
  sacctmgr -n list cluster format=cluster%20 | grep -qw test || sacctmgr -i add cluster test >/dev/null || die "sacctmgr add cluster"
fi
spawn slurmctld slurmctld -D
wait_for 20 slurmctld scontrol ping
for i in $(seq "$NODES"); do "$HERE/node-slurm.sh" start "node$i" | sed 's/^/          /'; done
idle() { [ "$(sinfo -h -N -p main -t idle,mix,alloc,comp -o %N | sort -u | wc -l)" = "$NODES" ]; }
wait_for 40 "$NODES node(s)" idle
sinfo
