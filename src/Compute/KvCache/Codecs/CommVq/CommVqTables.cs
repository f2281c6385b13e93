using System.Runtime.CompilerServices;
using Concertina.Compute.KvCache.Codecs.CommVq.Books;
using Concertina.Compute.KvCache.Codecs.CommVq.Rows;

namespace Concertina.Compute.KvCache.Codecs.CommVq;

/// <summary>
/// Books of all heads laid out for the kernels, in memory that never moves, and the angles. Shared by both codecs: the one of
/// fewer stages reads the first of them. Immutable.
/// </summary>
internal sealed unsafe class CommVqTables
{
    private readonly PinnedTable _keys;
    private readonly PinnedTable _values;
    private readonly KeyHead[] _keyHeads;
    private readonly ValueHead[] _valueHeads;

    public CommVqTables(CommVqSetup setup)
    {
        Setup = setup;
        CommVqBooks books = setup.Books;
        Angles = new AngleTable([.. setup.Frequencies], books.HeadDim, setup.PositionCount);
        int tables = books.Keys[0].IsTied ? 1 : 2;
        _keys = new PinnedTable((tables * KeyRowFloats * books.HeadCount) + (Angles.Width * books.HeadCount) + ScaleByte.Values.Length);
        _values = new PinnedTable((ValueRowFloats * books.HeadCount) + ((long)books.HeadDim * books.HeadCount));
        _keyHeads = GC.AllocateArray<KeyHead>(2 * books.HeadCount, pinned: true);
        _valueHeads = GC.AllocateArray<ValueHead>(2 * books.HeadCount, pinned: true);
        float* scales = _keys.Pointer + _keys.Count - ScaleByte.Values.Length;
        ScaleByte.Values.CopyTo(new Span<float>(scales, ScaleByte.Values.Length));
        for (int head = 0; head < books.HeadCount; head++)
        {
            FillKeys(head, tables, scales);
            FillValues(head, scales);
        }
    }

    public CommVqSetup Setup { get; }

    public AngleTable Angles { get; }

    /// <summary>Bytes of one side: its tables, and the books they were made from, which live as long.</summary>
    public long Bytes(KvSide side) => Setup.Books.Bytes(side) + (side == KvSide.Keys
        ? (_keys.Count * sizeof(float)) + (_keyHeads.Length * sizeof(KeyHead)) + AngleTable.Bytes(Setup.Books.HeadDim, Setup.PositionCount)
        : (_values.Count * sizeof(float)) + (_valueHeads.Length * sizeof(ValueHead)));

    /// <summary>Tables of a head with all stages, or the first half of them.</summary>
    public KeyHead* Keys(int head, bool halved) =>
        (KeyHead*)Unsafe.AsPointer(ref _keyHeads[Index(head, halved)]);

    /// <summary>Tables of a head with all stages, or the first half of them.</summary>
    public ValueHead* Values(int head, bool halved) =>
        (ValueHead*)Unsafe.AsPointer(ref _valueHeads[Index(head, halved)]);

    private long KeyRowFloats => (long)Setup.Books.Shape.KeyLevels * Setup.Books.Shape.KeyStages * PairLayout.Width(Setup.Books.HeadDim);

    private long ValueRowFloats => (long)Setup.Books.Shape.ValueLevels * Setup.Books.Shape.ValueStages * Setup.Books.HeadDim;

    private int Index(int head, bool halved)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(head);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(head, Setup.Books.HeadCount);
        return (2 * head) + (halved ? 1 : 0);
    }

    private void FillKeys(int head, int tables, float* scales)
    {
        KeyBook book = Setup.Books.Keys[head];
        BookLayout layout = book.Layout;
        int width = Angles.Width;
        long at = head * ((tables * KeyRowFloats) + width);
        int stageFloats = layout.Levels * width;
        for (int stage = 0; stage < layout.Stages; stage++)
        {
            book.First(stage, _keys.Slice(at + ((long)stage * stageFloats), stageFloats));
            if (!book.IsTied)
            {
                layout.Pad(book.SecondRows.Span, stage, _keys.Slice(at + KeyRowFloats + ((long)stage * stageFloats), stageFloats));
            }
        }
        float* rows = _keys.Pointer + at;
        float* mean = rows + (tables * KeyRowFloats);
        PairLayout.Split(book.Mean.Span, new Span<float>(mean, width));
        var keys = new KeyHead
        {
            First = rows,
            Second = rows + ((tables - 1) * KeyRowFloats),
            Mean = mean,
            Pages = Angles.Pages,
            Slots = Angles.Slots,
            Scales = scales,
            Width = width,
            Levels = layout.Levels,
            Stages = layout.Stages,
        };
        _keyHeads[2 * head] = keys;
        keys.Stages /= 2;
        _keyHeads[(2 * head) + 1] = keys;
    }

    private void FillValues(int head, float* scales)
    {
        ValueBook book = Setup.Books.Values[head];
        long at = head * (ValueRowFloats + Setup.Books.HeadDim);
        book.Rows.Span.CopyTo(_values.Slice(at, book.Layout.Length));
        book.Mean.Span.CopyTo(_values.Slice(at + ValueRowFloats, book.Layout.HeadDim));
        var values = new ValueHead
        {
            Rows = _values.Pointer + at,
            Mean = _values.Pointer + at + ValueRowFloats,
            Scales = scales,
            HeadDim = book.Layout.HeadDim,
            Levels = book.Layout.Levels,
            Stages = book.Layout.Stages,
        };
        _valueHeads[2 * head] = values;
        values.Stages /= 2;
        _valueHeads[(2 * head) + 1] = values;
    }
}
