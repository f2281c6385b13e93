#!/bin/bash
# The whole retrofit on a CPU: one ramp to 8.6x, then the 2x and the 4x model held, calibrated, measured and exported.
cd "$(dirname "$0")" || exit 1
set -e
export OMP_WAIT_POLICY=passive OMP_NUM_THREADS=2
export MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=33554432 MALLOC_TRIM_THRESHOLD_=8000000000 MALLOC_TOP_PAD_=268435456
out=../out/dms
nice -n 1 python3 retrofit.py --out $out --batch-tokens 4096 --zero-out 40 --ramp 640 --hold 80 --cr 8.6 --save-at 2.15 4.3 8.6
for ratio in 2.15 4.3; do
    nice -n 1 python3 retrofit.py --out $out/hold${ratio%.*} --resume $out/cr$ratio.pt --cr $ratio --hold-only \
        --batch-tokens 4096 --hold 80 --lengths 1024:0.3 2048:0.4 4096:0.3
done
python3 measure.py --out $out/base.json
for ratio in 2 4; do
    python3 calibrate.py --ckpt $out/hold$ratio/held*.pt --ratio $ratio --out $out/dms$ratio.pt
    python3 measure.py --ckpt $out/dms$ratio.pt --out $out/dms$ratio.json
    python3 export_gguf.py --ckpt $out/dms$ratio.pt --measured $out/dms$ratio.json --name "KV demo model, DMS ${ratio}x" \
        --out $out/demo-dms$ratio-q8_0.gguf
done
