namespace Concertina.Compute.KvCache.Codecs;

/// <summary>Neighbouring slots of one side of one head page, strided because the runner's rows hold all heads.</summary>
/// <param name="values">First channel of the first row; row i starts at i * stride.</param>
/// <param name="stride">Elements from row to row.</param>
/// <param name="firstSlot">Slot of the first row.</param>
/// <param name="count">Rows.</param>
internal readonly ref struct SlotRows(ReadOnlySpan<float> values, int stride, int firstSlot, int count)
{
    public int FirstSlot { get; } = firstSlot;

    public int Count { get; } = count;

    private ReadOnlySpan<float> Values { get; } = values;

    public ReadOnlySpan<float> Row(int index, int headDim) => Values.Slice(index * stride, headDim);
}
