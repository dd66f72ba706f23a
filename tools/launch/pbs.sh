#!/bin/bash
# soma train on PBS Professional or OpenPBS. From the folder that shall hold runs/:
#
#   qsub -N digits -l select=4:ncpus=32:mpiprocs=2:ompthreads=16 -l walltime=4:00:00 \
#       -v SYSTEM=lecun1989,STOP_AFTER=235m,SOMA_RECIPE=modern tools/launch/pbs.sh
#
# mpiprocs: a rank for each NUMA domain; ompthreads: the cores of one. PBS passes no arguments to a
# script, so options of soma train stand in SOMA_* variables. SOMA=PATH names the program when it is
# not in PATH.
#
# PBS stops a job with SIGTERM, at which mpirun ends the ranks before they can save. STOP_AFTER, some
# minutes less than walltime, is when they get SIGUSR1 instead: soma saves and ends with 85. The
# same command again continues runs/pbs-NAME bit for bit (a new training needs a new name); with
# `-W depend=afternotok:JOB` it may be given beforehand.
#PBS -N soma
#PBS -l select=1:ncpus=2:mpiprocs=2:ompthreads=1
#PBS -l place=scatter
#PBS -j oe
set -u

[ -n "${SYSTEM:-}" ] || { echo "usage: qsub -v SYSTEM=NAME[,SOMA_...=...] pbs.sh" >&2; exit 2; }
cd "$PBS_O_WORKDIR" || exit 2
export SOMA_NUM_THREADS=${OMP_NUM_THREADS:-1}
ranks=$(wc -l <"$PBS_NODEFILE")
per_host=$((ranks / $(sort -u "$PBS_NODEFILE" | wc -l)))
# Debian's Open MPI cannot ask PBS for its hosts: the list is given.
placing=(--hostfile "$PBS_NODEFILE" -np "$ranks" --bind-to core
    --map-by "ppr:$per_host:node:PE=$SOMA_NUM_THREADS")
forwarded=()
for name in "${!SOMA_@}"; do forwarded+=(-x "$name"); done

# mpirun hands SIGUSR1 on to the ranks. 0: never.
timeout --preserve-status --signal=USR1 "${STOP_AFTER:-0}" \
    mpirun "${placing[@]}" "${forwarded[@]}" "${SOMA:-soma}" train "$SYSTEM" \
    --folder "runs/pbs-$PBS_JOBNAME"
