namespace Concertina.Compute.Attention;

/// <summary>One piece of a step's attention: a block of query rows of one KV head against a range of splits.</summary>
/// <param name="Span">Index of the span.</param>
/// <param name="KvHead">KV head within its layer.</param>
/// <param name="FirstRow">Batch row of the first position.</param>
/// <param name="PositionCount">Positions; each has a group of query rows.</param>
/// <param name="FirstSplit">First split.</param>
/// <param name="SplitCount">Splits.</param>
/// <param name="FirstPartial">Where the first split's partials go, one per query row; -1 when the chunk finishes its rows itself.</param>
internal readonly record struct AttentionChunk(
    int Span, int KvHead, int FirstRow, int PositionCount, int FirstSplit, int SplitCount, int FirstPartial);
