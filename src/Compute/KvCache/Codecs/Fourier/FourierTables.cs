using System.Runtime.CompilerServices;
using Concertina.Compute.KvCache.Codecs.Fourier.Spectral;

namespace Concertina.Compute.KvCache.Codecs.Fourier;

/// <summary>Bases and channel lists of one cache, where kernels find them: shared by its codecs, one basis for sides of equal orders.</summary>
internal sealed unsafe class FourierTables
{
    private readonly int[] _lists;

    public FourierTables(FourierSetup setup)
    {
        Setup = setup;
        Keys = new SpectralBasis(setup.TokenCount, setup.Keys.Orders);
        Values = setup.Keys.Orders == setup.Values.Orders ? Keys : new SpectralBasis(setup.TokenCount, setup.Values.Orders);
        // [sides, heads, headDim]: D_c, then D_u.
        _lists = GC.AllocateArray<int>(2 * setup.Keys.HeadCount * setup.Keys.HeadDim, pinned: true);
        foreach (KvSide side in (KvSide[])[KvSide.Keys, KvSide.Values])
        {
            FourierChannels channels = setup.Of(side);
            for (int head = 0; head < channels.HeadCount; head++)
            {
                Span<int> list = _lists.AsSpan(At(side, head), channels.HeadDim);
                channels.Compressed(head).CopyTo(list);
                channels.Kept(head).CopyTo(list[channels.CompressedCount..]);
            }
        }
    }

    public FourierSetup Setup { get; }

    public SpectralBasis Keys { get; }

    public SpectralBasis Values { get; }

    public SpectralBasis Basis(KvSide side) => side == KvSide.Keys ? Keys : Values;

    /// <summary>Bytes of a side; a shared basis counts as one of the keys.</summary>
    public long Bytes(KvSide side)
    {
        long lists = (long)Setup.Keys.HeadCount * Setup.Keys.HeadDim * sizeof(int);
        return side == KvSide.Values && ReferenceEquals(Keys, Values)
            ? lists
            : lists + SpectralBasis.Bytes(Setup.TokenCount, Setup.Of(side).Orders);
    }

    /// <summary>What readers need of a head.</summary>
    public FourierHead Head(KvSide side, int head, FourierPart part)
    {
        FourierChannels channels = Setup.Of(side);
        // The array is pinned and lives as long as this object.
        int* list = (int*)Unsafe.AsPointer(ref _lists[At(side, head)]);
        return new FourierHead
        {
            Compressed = list,
            Kept = list + channels.CompressedCount,
            CompressedCount = channels.CompressedCount,
            KeptCount = channels.KeptCount,
            Orders = channels.Orders,
            Basis = side == KvSide.Keys ? Keys.ByOrder : Values.ByToken,
            CoefficientBytes = part.CoefficientBytes,
            PageBytes = part.PageBytes,
        };
    }

    private int At(KvSide side, int head) => (((side == KvSide.Keys ? 0 : Setup.Keys.HeadCount) + head) * Setup.Keys.HeadDim);
}
