namespace Concertina.Compute.Attention;

/// <summary>
/// One page of one head during a step: where the parts of its unit lie, which positions it holds, and the model data of its
/// codecs. A unit that covers several heads or pages has a view for each, with the same parts.
/// </summary>
internal unsafe struct UnitView
{
    public byte* Keys;
    public byte* Values;

    /// <summary>Model-level data of the key codec for this layer and KV head, or null.</summary>
    public byte* KeyData;

    /// <summary>Model-level data of the value codec for this layer and KV head, or null.</summary>
    public byte* ValueData;

    /// <summary>Null when slot i holds position Start + i; else, after eviction, it holds Start + Offsets[i], ascending.</summary>
    public ushort* Offsets;

    /// <summary>Position of the page's slot 0.</summary>
    public int Start;

    /// <summary>Which page of its unit this is. Pages of one unit come in order, the first first, in one run.</summary>
    public int Page;

    /// <summary>Which head of its unit this is, in the order of the page lists.</summary>
    public int Head;

    /// <summary>Slots that may be filled: 64, or the slots that eviction left.</summary>
    public int Slots;

    /// <summary>True when no slot holds an infinity or NaN.</summary>
    public bool IsFinite;

    /// <summary>Slots at or before a position.</summary>
    public readonly int VisibleAt(int position)
    {
        if (Offsets == null)
        {
            return Math.Clamp(position - Start + 1, 0, Slots);
        }
        int visible = Slots;
        // Rows come after what was evicted, but for sequences cut since; so the last slot nearly always decides.
        while (visible > 0 && Start + Offsets[visible - 1] > position)
        {
            visible--;
        }
        return visible;
    }

    /// <summary>Position of a slot.</summary>
    public readonly int Position(int slot) => Start + (Offsets == null ? slot : Offsets[slot]);
}
