namespace Concertina.Compute.Attention;

/// <summary>One head page during a step: where its parts lie and which positions it holds.</summary>
internal unsafe struct UnitView
{
    public byte* Keys;
    public byte* Values;

    /// <summary>Position of slot 0; slot i holds position Start + i.</summary>
    public int Start;

    /// <summary>True when no slot holds an infinity or NaN.</summary>
    public bool IsFinite;
}
