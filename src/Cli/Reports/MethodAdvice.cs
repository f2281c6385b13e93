namespace Concertina.Cli.Reports;

/// <summary>When to use which method, in a sentence each; judged by hand, to be revised when the figures change.</summary>
internal static class MethodAdvice
{
    /// <summary>Lines of a list.</summary>
    public static IReadOnlyList<string> Lines { get; } =
    [
        "- **Lossless** (`f16`): use it while memory suffices or answers must be the same bits; not when sessions wait for memory.",
        "- **Eight bits** (`int8`, `k8v4`): use it as the first step under pressure, for keys above all, which suffer more than values; " +
            "not when half of the bytes are still too many.",
        "- **Rotated four bits** (`int4`, `k4v2`): use it as the rung to run on when memory is short, since it needs no training and " +
            "attention reads fewer bytes; not for tasks that count every retrieved digit, without a look at the recall column.",
        "- **Plain four bits** (`int4p`): it is here to be compared with; the rotated form takes the same bytes.",
        "- **Two-bit integers** (`int2`, `int2c`): use them when sessions would be refused otherwise and there is no profile; " +
            "not for recall over long documents.",
        "- **CommVQ** (`commvq2`, `commvq1`): use it after a calibration on text like yours, where sessions would be refused otherwise: " +
            "`commvq2` diverges less than two-bit integers in fewer bytes; not where speed decides, since on a CPU its attention is slower " +
            "than the lossless one and its encoding slower than any other, and `commvq1` not for recall.",
        "- **KV-Compress** (`+evictN`): use it for long prompts that end in their question, and on top of any other rung; " +
            "not when questions yet unknown may ask for any part of the text, because what was evicted is gone.",
        "- **XQuant** (`xq8`, `xq4`, `xq3`, `xq2`): use them where keys have outlier channels and a measurement says so; on this model " +
            "they beat the row quantizers at no number of bits, and attention, which makes keys again at every read, costs many times the lossless one.",
        "- **DMS** (`+dmsN`): use it wherever the model was retrofitted for it, alone or on `int4`: it keeps recall where KV-Compress at the same " +
            "ratio loses it, because the model was trained to say what it will need; not at ratios far from the one it was retrofitted for.",
    ];
}
