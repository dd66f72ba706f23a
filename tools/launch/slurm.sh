#!/bin/bash
# soma train on Slurm. From the folder that shall hold runs/:
#
#   sbatch --nodes=4 --ntasks-per-node=2 --cpus-per-task=16 --time=4:00:00 \
#       tools/launch/slurm.sh lecun1989 --recipe modern
#
# ntasks-per-node: a rank for each NUMA domain; cpus-per-task: the cores of one. Slurm warns this
# script with SIGUSR1 two minutes before the time is over, and before it preempts; soma then saves
# and ends with 85, the job is queued again under its number and continues runs/slurm-NUMBER bit for
# bit. SOMA=PATH names the program when it is not in PATH.
#SBATCH --job-name=soma
#SBATCH --nodes=1 --ntasks-per-node=2 --cpus-per-task=1
#SBATCH --signal=B:USR1@120
#SBATCH --requeue --open-mode=append
set -u

[ $# -ge 1 ] || { echo "usage: sbatch [OPTIONS] slurm.sh SYSTEM [OPTIONS of soma train]" >&2; exit 2; }
export SOMA_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
placing=(-np "$SLURM_NTASKS" --bind-to core
    --map-by "ppr:$SLURM_NTASKS_PER_NODE:node:PE=$SOMA_NUM_THREADS")
forwarded=()
for name in "${!SOMA_@}"; do forwarded+=(-x "$name"); done

mpirun "${placing[@]}" "${forwarded[@]}" "${SOMA:-soma}" train "$@" \
    --folder "runs/slurm-$SLURM_JOB_ID" &
launcher=$!
trap 'kill -USR1 "$launcher"' USR1  # mpirun hands it on to the ranks
while wait "$launcher"; code=$?; kill -0 "$launcher" 2>/dev/null; do :; done  # the trap ends a wait

if [ "$code" -eq 85 ]; then scontrol requeue "$SLURM_JOB_ID"; fi
exit "$code"
