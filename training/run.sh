#!/bin/bash
# CPU training run: passive OpenMP waits (shared cores), one malloc arena that keeps its memory, huge pages.
cd "$(dirname "$0")" || exit 1
export OMP_WAIT_POLICY=passive OMP_NUM_THREADS=2
export MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=33554432 MALLOC_TRIM_THRESHOLD_=8000000000 MALLOC_TOP_PAD_=268435456
export GLIBC_TUNABLES=glibc.malloc.hugetlb=1
exec nice -n 1 python3 train.py "$@"
