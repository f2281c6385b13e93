namespace Concertina.Cli.Reports;

/// <summary>Figures that others published, copied from their papers by hand.</summary>
internal static class PublishedFigures
{
    /// <summary>Lines of the section.</summary>
    public static IReadOnlyList<string> Lines { get; } =
        """
        ## Published by others, not measured by us

        Other models, other tasks, other hardware: these figures say what to expect of a method, not what it does here.

        ### CommVQ

        Llama-3.1-8B-Instruct, tables of [CommVQ (2025)](https://arxiv.org/abs/2506.18879). A dash: not given.

        | method (published) | bits | LongBench | InfiniteBench | R.KV | R.Num | GSM8K |
        | --- | ---: | ---: | ---: | ---: | ---: | ---: |
        | FP16 | 16 | 48.05 | 48.67 | 55.20 | 99.49 | 76.27 |
        | KIVI-2 | 3.00 | 47.62 | 42.68 | 0.60 | 97.80 | 73.69 |
        | KVQuant-2 | 2.33 | 45.35 | 33.34 | 0.00 | 88.81 | - |
        | VQLLM-2 | 2.00 | 45.45 | 36.66 | 0.00 | 97.96 | 52.69 |
        | CommVQ-2 | 2.00 | 47.98 | 42.75 | 12.20 | 93.39 | 76.04 |
        | KIVI-1 | 2.00 | 16.70 | 15.04 | 0.00 | 0.00 | 2.20 |
        | KVQuant-1 | 1.33 | 5.88 | 2.56 | 0.00 | 0.00 | - |
        | VQLLM-1 | 1.00 | 27.42 | 18.48 | 0.00 | 14.75 | 1.67 |
        | CommVQ-1 | 1.03 | 44.94 | 36.76 | 0.00 | 62.37 | 66.57 |

        ### KV-Compress

        LongBench average of Mistral-7B-Instruct-v0.2 by cache size C (full cache 42.51), table of
        [KV-Compress (2024)](https://arxiv.org/abs/2410.00161); w8-L2 is squared attention of the last 8 queries, w32-L1 plain
        attention of the last 32.

        | C (published) | H2O | SnapKV | PyramidKV | Ada-SnapKV | w32-L1 | w32-L2 | w8-L2 | full-L2 |
        | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
        | 128 | 34.40 | 35.09 | 35.58 | 36.71 | 35.85 | 37.33 | 37.64 | 36.20 |
        | 256 | 36.03 | 38.66 | 38.22 | 39.72 | 38.72 | 39.80 | 39.92 | 38.35 |
        | 512 | 37.22 | 40.26 | 40.01 | 40.57 | 40.50 | 41.31 | 41.19 | 39.76 |
        | 1024 | 38.70 | 41.44 | 41.07 | 41.54 | 41.52 | 41.94 | 41.95 | 41.14 |
        """.ReplaceLineEndings("\n").Split('\n');
}
