using Concertina.Compute.Attention.Lanes;

namespace Concertina.Compute.KvCache.Codecs.F16;

/// <summary>How a word of two halves becomes two floats.</summary>
internal unsafe interface IHalfLoad
{
    static abstract void Load<TL, TV>(uint* words, out TV low, out TV high)
        where TL : struct, ILanes<TV>
        where TV : struct;
}

/// <summary>Finite halves times 2^-112: exact, and the other factor carries 2^112, so products are the same numbers.</summary>
internal readonly unsafe struct QuickHalf : IHalfLoad
{
    public static void Load<TL, TV>(uint* words, out TV low, out TV high)
        where TL : struct, ILanes<TV>
        where TV : struct => TL.LoadHalvesScaledDown(words, out low, out high);
}

/// <summary>Any half, infinities and NaN included.</summary>
internal readonly unsafe struct AnyHalf : IHalfLoad
{
    public static void Load<TL, TV>(uint* words, out TV low, out TV high)
        where TL : struct, ILanes<TV>
        where TV : struct => TL.LoadHalves(words, out low, out high);
}
