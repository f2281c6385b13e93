namespace Concertina.Compute.KvCache.Transcoding;

/// <summary>Columns from the first up to, not including, the limit.</summary>
internal readonly record struct ColumnRange(int First, int Limit);
