namespace Concertina.Compute.Attention;

/// <summary>
/// Query rows of one KV head and the running partial of each: maximum, sum and weighted values, unnormalised. Rows ascend
/// in position; a decode row contributes its whole query group. Memory is the worker's scratch.
/// </summary>
internal unsafe struct RowBlock
{
    /// <summary>Rows that matter.</summary>
    public int RowCount;

    /// <summary>Rows the kernels run, at least <see cref="RowCount"/>: the rest have zero queries and are never read back.</summary>
    public int PaddedRows;

    public int HeadDim;

    /// <summary>True when 2^112 times any query stays finite.</summary>
    public bool QueriesAreSmall;

    /// <summary>[PaddedRows, headDim], scaled by 1 / sqrt(headDim).</summary>
    public float* Queries;

    /// <summary>The same times 2^112; filled for blocks of few rows only.</summary>
    public float* WideQueries;

    /// <summary>Position of each row.</summary>
    public int* Positions;

    /// <summary>Slots of the present page each row may see, 0 to 64.</summary>
    public int* Visible;

    /// <summary>Factor that each row's values need for its new maximum.</summary>
    public float* Factors;

    /// <summary>Scores, then weights, of the present page, [PaddedRows, 64].</summary>
    public float* Scores;

    /// <summary>A page as floats, [headDim * 64].</summary>
    public float* Tile;

    /// <summary>What a key codec prepares once per run; sized by <see cref="KvCache.Codecs.IKvCodec.BlockScratchBytes"/>.</summary>
    public byte* KeyScratch;

    /// <summary>What a value codec keeps during a run; sized likewise.</summary>
    public byte* ValueScratch;

    /// <summary>Largest score so far.</summary>
    public float* Maximum;

    /// <summary>Sum of exp(score - maximum).</summary>
    public float* Sum;

    /// <summary>Values weighted by exp(score - maximum), [PaddedRows, headDim].</summary>
    public float* Values;
}
