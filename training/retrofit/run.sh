#!/bin/bash
# The whole retrofit on a CPU: one ramp to 8.6x, then the 2x and the 4x model held, calibrated, measured and exported.
cd "$(dirname "$0")" || exit 1
set -e
export OMP_WAIT_POLICY=passive OMP_NUM_THREADS=2
export MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=33554432 MALLOC_TRIM_THRESHOLD_=8000000000 MALLOC_TOP_PAD_=268435456
out=../out/dms
train="nice -n 1 python3 retrofit.py --batch-tokens 4096"
hold="--hold-only --hold 80 --lengths 1024:0.3 2048:0.4 4096:0.3"
$train --out $out --zero-out 40 --ramp 640 --hold 80 --cr 8.6 --save-at 2.15 4.3 8.6
$train --out $out/hold2 --resume $out/cr2.15.pt --cr 2.15 $hold
$train --out $out/hold4 --resume $out/cr4.3.pt --cr 4.3 $hold
$train --out $out/control --control --zero-out 40 --ramp 278 --hold 80
python3 measure.py --out $out/base.json
python3 measure.py --ckpt $out/control/control.pt --control --out $out/control.json
for ratio in 2 4; do
    python3 calibrate.py --ckpt $out/hold$ratio/held*.pt --ratio $ratio --out $out/dms$ratio.pt
    python3 measure.py --ckpt $out/dms$ratio.pt --out $out/dms$ratio.json
    python3 export_gguf.py --ckpt $out/dms$ratio.pt --measured $out/dms$ratio.json --name "KV demo model, DMS ${ratio}x" \
        --out $out/demo-dms$ratio-q8_0.gguf
done
