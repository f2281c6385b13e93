using System.Runtime.InteropServices;
using Concertina.Compute.Kernels;

namespace Concertina.Compute.KvCache.Eviction.Scoring;

/// <summary>
/// The last query rows of one layer, after RoPE and before scaling, over memory of the caller: position of each row
/// (-1: none), then halves [rows, queryHeads * headDim]. The row of position p lies at p mod rows, so a position written
/// again after a cut replaces itself. One writer at a time; no reader while writing.
/// </summary>
/// <remarks>Queries are rounded to 16 bits: the metric moves by about 1e-3 of itself, the bytes are those of section 10.</remarks>
internal readonly ref struct ObservationRing
{
    private const int None = -1;

    private readonly Span<int> _positions;
    private readonly Span<ushort> _halves;
    private readonly int _width;

    /// <summary>The ring over memory that <see cref="Clear"/> has been called for.</summary>
    /// <param name="bytes">At least <see cref="BytesFor"/>, aligned to 4.</param>
    /// <param name="rows">Rows it keeps.</param>
    /// <param name="width">Query heads times channels.</param>
    /// <exception cref="ArgumentException">The memory is too small.</exception>
    public ObservationRing(Span<byte> bytes, int rows, int width)
    {
        if (bytes.Length < BytesFor(rows, width))
        {
            throw new ArgumentException($"A ring of {rows} rows of {width} halves needs {BytesFor(rows, width)} bytes, not {bytes.Length}.");
        }
        _positions = MemoryMarshal.Cast<byte, int>(bytes)[..rows];
        _halves = MemoryMarshal.Cast<byte, ushort>(bytes[(rows * sizeof(int))..])[..(rows * width)];
        _width = width;
    }

    /// <summary>Position of each row, -1 where there is none.</summary>
    public ReadOnlySpan<int> Positions => _positions;

    /// <summary>Bytes of one layer's ring.</summary>
    public static int BytesFor(int rows, int width) => rows * (sizeof(int) + (width * sizeof(ushort)));

    /// <summary>Forgets every row.</summary>
    public void Clear() => _positions.Fill(None);

    /// <summary>Forgets rows of other tokens than the first ones, and clears what the memory of forgotten rows holds.</summary>
    /// <param name="tokens">Tokens there are.</param>
    public void Keep(int tokens)
    {
        for (int row = 0; row < _positions.Length; row++)
        {
            if (_positions[row] < 0 || _positions[row] >= tokens)
            {
                _positions[row] = None;
                _halves.Slice(row * _width, _width).Clear();
            }
        }
    }

    /// <summary>Takes neighbouring rows; only the last ones stay.</summary>
    /// <param name="firstPosition">Position of the first row.</param>
    /// <param name="queries">[rows, queryHeads * headDim].</param>
    public void Add(int firstPosition, ReadOnlySpan<float> queries)
    {
        int count = queries.Length / _width;
        for (int row = Math.Max(0, count - _positions.Length); row < count; row++)
        {
            int place = (firstPosition + row) % _positions.Length;
            HalfConversion.ToHalf(queries.Slice(row * _width, _width), _halves.Slice(place * _width, _width));
            _positions[place] = firstPosition + row;
        }
    }

    /// <summary>True when it holds exactly the last rows before this many tokens: after a cut, not until they were written again.</summary>
    public bool IsFull(int tokens)
    {
        foreach (int position in _positions)
        {
            if (position < 0 || position >= tokens || position < tokens - _positions.Length)
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>Copies the rows of neighbouring query heads, [heads, rows, headDim].</summary>
    public void Gather(int firstHead, int headDim, Span<float> queries)
    {
        int rows = _positions.Length;
        for (int head = 0; head < queries.Length / (rows * headDim); head++)
        {
            for (int row = 0; row < rows; row++)
            {
                HalfConversion.ToSingle(
                    _halves.Slice((row * _width) + ((firstHead + head) * headDim), headDim),
                    queries.Slice(((head * rows) + row) * headDim, headDim));
            }
        }
    }
}
