namespace Concertina.Tokenization;

/// <summary>Bounds of one rendering. A template comes with a model file, so it is not trusted to end.</summary>
public sealed record ChatTemplateOptions
{
    /// <summary>Deepest nesting of expressions, blocks and macro calls. Default 64: published templates stay below 20, and
    /// a thread's stack holds far more.</summary>
    public int MaxDepth { get; init; } = 64;

    /// <summary>Most steps: evaluations, and values that one evaluation writes, compares or passes over. Default 1 million: a long conversation needs some thousand.</summary>
    public int MaxSteps { get; init; } = 1_000_000;

    /// <summary>Most UTF-16 units of text that all steps together may build or read through. Default 256 Mi units: some copies of a 1 MiB
    /// conversation per message.</summary>
    public long MaxTextUnits { get; init; } = 256L << 20;
}
