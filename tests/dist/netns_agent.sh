#!/bin/sh
# netns_agent.sh HOST COMMAND...: in the place of ssh for mpirun (plm_rsh_agent). HOST is node1 or 10.77.0.1; the
# command runs in that namespace and sees its name as the host's.
host=$1
shift
node=node${host##*[!0-9]}
exec ip netns exec "$node" unshare --uts sh -c "hostname $node; $*"
