using Concertina.Compute.KvCache.Codecs.CommVq.Books;

namespace Concertina.Compute.KvCache.Codecs.XQuant;

/// <summary>Buffers for one part that is written or read, in memory that never moves. Not thread-safe.</summary>
internal sealed unsafe class PartBuffers
{
    private const int Slots = KvShape.PageTokens;

    private readonly PinnedTable _floats;

    /// <param name="stride">Latents of a tile on either side.</param>
    /// <param name="headDim">Channels of a head.</param>
    /// <param name="splitWidth">Floats of a split row.</param>
    public PartBuffers(int stride, int headDim, int splitWidth)
    {
        _floats = new PinnedTable(FloatCount(stride, headDim, splitWidth));
        Latents = _floats.Pointer;
        Turned = Latents + (stride * Slots);
        Rows = Turned + (stride * Slots);
        TurnedRows = Rows + (headDim * Slots);
        float* split = TurnedRows + (headDim * Slots);
        SplitStart = split - _floats.Pointer;
        SplitWidth = splitWidth;
        Codes = new byte[stride * Slots];
        Halves = new ushort[stride];
        Ones = new float[stride];
        Array.Fill(Ones, 1f);
    }

    /// <summary>[64, stride] or [stride, 64].</summary>
    public float* Latents { get; }

    /// <summary>The same the other way round.</summary>
    public float* Turned { get; }

    /// <summary>[64, headDim].</summary>
    public float* Rows { get; }

    /// <summary>[headDim, 64].</summary>
    public float* TurnedRows { get; }

    /// <summary>One row as real and imaginary parts.</summary>
    public Span<float> Split => _floats.Slice(SplitStart, SplitWidth);

    /// <summary>[stride * 64].</summary>
    public byte[] Codes { get; }

    /// <summary>[stride].</summary>
    public ushort[] Halves { get; }

    /// <summary>[stride] 1.</summary>
    public float[] Ones { get; }

    private long SplitStart { get; }

    private int SplitWidth { get; }

    /// <summary>Bytes of the buffers.</summary>
    public static long Bytes(int stride, int headDim, int splitWidth) =>
        (FloatCount(stride, headDim, splitWidth) * sizeof(float)) + (stride * (Slots + sizeof(ushort) + sizeof(float)));

    private static long FloatCount(int stride, int headDim, int splitWidth) => (2L * Slots * (stride + headDim)) + splitWidth;
}
