using System.Runtime.CompilerServices;
using Concertina.Compute.KvCache.Codecs.CommVq;
using Concertina.Compute.KvCache.Codecs.CommVq.Books;

namespace Concertina.Compute.KvCache.Codecs.XQuant;

/// <summary>
/// Maps of all layers laid out for the kernels, in memory that never moves, and the angles. Shared by the codecs of a cache.
/// Immutable.
/// </summary>
internal sealed unsafe class XQuantTables
{
    private const int CrowdedWidth = 256;

    private readonly PinnedTable[] _matrices = new PinnedTable[2];
    private readonly PinnedTable _slots;
    private readonly LatentHead[] _heads;
    private readonly float[][] _scales;

    /// <exception cref="ArgumentException">The setup does not hold together.</exception>
    public XQuantTables(XQuantSetup setup)
    {
        setup.Validate();
        Setup = setup;
        KvShape shape = setup.Shape;
        Angles = new AngleTable([.. setup.Frequencies], shape.HeadDim, setup.PositionCount);
        _slots = new PinnedTable(2L * shape.HeadDim / 2 * KvShape.PageTokens);
        FillSlots();
        _heads = GC.AllocateArray<LatentHead>(2 * shape.HeadCount, pinned: true);
        _scales = new float[2 * shape.LayerCount][];
        foreach (KvSide side in (KvSide[])[KvSide.Keys, KvSide.Values])
        {
            int stride = Stride(side);
            var matrices = new PinnedTable((long)shape.HeadCount * shape.HeadDim * stride);
            _matrices[(int)side] = matrices;
            for (int layer = 0; layer < shape.LayerCount; layer++)
            {
                LatentMap map = setup.Layers[layer].Of(side);
                _scales[Index(side, layer)] = Scales(map, Width(side));
                for (int kvHead = 0; kvHead < shape.KvHeadCount; kvHead++)
                {
                    int head = (layer * shape.KvHeadCount) + kvHead;
                    long at = (long)head * shape.HeadDim * stride;
                    FillMatrix(side, map, kvHead, matrices.Slice(at, shape.HeadDim * stride));
                    _heads[(2 * head) + (int)side] = Head(side, matrices.Pointer + at);
                }
            }
        }
    }

    public XQuantSetup Setup { get; }

    public AngleTable Angles { get; }

    /// <summary>Latents that a page stores of a token: those of the layer that has most, in whole lines.</summary>
    public int Width(KvSide side) => RoundUp(Setup.Layers.Max(layer => layer.Of(side).StoredRank));

    /// <summary>
    /// Latents of a tile: one line more where a layer has a bias, and where rows would lie so many bytes apart that they share
    /// the sets of a cache.
    /// </summary>
    public int Stride(KvSide side) => Width(side) + (HasBias(side) || Width(side) % CrowdedWidth == 0 ? LatentPlanes.Line : 0);

    /// <summary>Bytes of one side: its tables, and the maps they were made from, which live as long.</summary>
    public long Bytes(KvSide side)
    {
        long maps = Setup.Layers.Sum(layer => layer.Of(side).Bytes);
        long scales = sizeof(float) * (long)Setup.Shape.LayerCount * Width(side);
        long tables = (_matrices[(int)side].Count * sizeof(float)) + (Setup.Shape.HeadCount * sizeof(LatentHead));
        long angles = side == KvSide.Keys
            ? (_slots.Count * sizeof(float)) + AngleTable.Bytes(Setup.Shape.HeadDim, Setup.PositionCount)
            : 0;
        return maps + scales + tables + angles;
    }

    /// <summary>Tables of a head.</summary>
    /// <param name="side">Side.</param>
    /// <param name="head">layer * KvHeadCount + KV head.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such head.</exception>
    public LatentHead* Head(KvSide side, int head)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(head);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(head, Setup.Shape.HeadCount);
        return (LatentHead*)Unsafe.AsPointer(ref _heads[(2 * head) + (int)side]);
    }

    /// <summary>[Width] 1 / sigma^2 of a layer's stored latents, 0 beyond: what y M^T is multiplied with.</summary>
    public ReadOnlySpan<float> InverseSquares(KvSide side, int layer) => _scales[Index(side, layer)];

    private bool HasBias(KvSide side) => Setup.Layers.Any(layer => !layer.Of(side).Bias.IsEmpty);

    private static int Index(KvSide side, int layer) => (2 * layer) + (int)side;

    private static int RoundUp(int count) => (count + LatentPlanes.Line - 1) / LatentPlanes.Line * LatentPlanes.Line;

    private LatentHead Head(KvSide side, float* matrix) => new()
    {
        Matrix = matrix,
        Width = Width(side),
        Stride = Stride(side),
        Inner = Width(side) + (HasBias(side) ? 1 : 0),
        RotatedPairs = Setup.Frequencies.Count,
        Pages = Angles.Pages,
        PageWidth = Angles.Width,
        SlotCosines = _slots.Pointer,
        SlotSines = _slots.Pointer + (_slots.Count / 2),
    };

    private void FillMatrix(KvSide side, LatentMap map, int kvHead, Span<float> matrix)
    {
        int headDim = Setup.Shape.HeadDim;
        for (int latent = 0; latent < map.StoredRank; latent++)
        {
            Place(side, map.Row(latent).Slice(kvHead * headDim, headDim), latent, matrix);
        }
        if (!map.Bias.IsEmpty)
        {
            Place(side, map.Bias.Span.Slice(kvHead * headDim, headDim), Width(side), matrix);
        }
    }

    private void Place(KvSide side, ReadOnlySpan<float> channels, int latent, Span<float> matrix)
    {
        int stride = Stride(side);
        for (int channel = 0; channel < channels.Length; channel++)
        {
            matrix[side == KvSide.Keys ? (channel * stride) + latent : (latent * channels.Length) + channel] = channels[channel];
        }
    }

    private static float[] Scales(LatentMap map, int width)
    {
        float[] scales = new float[width];
        for (int latent = 0; latent < map.StoredRank; latent++)
        {
            double sigma = map.Sigma.Span[latent];
            scales[latent] = (float)(1 / (sigma * sigma));
        }
        return scales;
    }

    // From rows of slots to rows of pairs.
    private void FillSlots()
    {
        int half = Angles.Width / 2;
        Span<float> cosines = _slots.Span[..(int)(_slots.Count / 2)];
        Span<float> sines = _slots.Span[(int)(_slots.Count / 2)..];
        for (int i = 0; i < cosines.Length; i++)
        {
            (int pair, int slot) = (i / KvShape.PageTokens, i % KvShape.PageTokens);
            cosines[i] = Angles.Slots[(slot * Angles.Width) + pair];
            sines[i] = Angles.Slots[(slot * Angles.Width) + half + pair];
        }
    }
}
