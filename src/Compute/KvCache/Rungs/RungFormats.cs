using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Memory;

namespace Concertina.Compute.KvCache.Rungs;

/// <summary>The rungs of one cache, lossless first, with the formats and size classes of their pages.</summary>
internal sealed class RungFormats
{
    private readonly RungFormat[] _rungs;

    /// <param name="open">Format of open pages: the lossless rung.</param>
    /// <param name="codecs">Codecs of the cache.</param>
    /// <param name="shape">Shape of the model.</param>
    /// <param name="rungs">Rungs below lossless, shallow to deep.</param>
    /// <exception cref="ArgumentException">
    /// A rung names a codec the cache lacks, evicts over codecs whose slots do not move, or what a model decides that decides nothing.
    /// </exception>
    public RungFormats(PageFormat open, CodecSet codecs, KvShape shape, IReadOnlyList<Rung> rungs)
    {
        var lossless = new Rung(open.KeyCodec.Name, open.KeyCodec.Name, open.ValueCodec.Name, 1);
        _rungs = [new(lossless, open, -1), .. rungs.Select(rung => new RungFormat(rung, Page(rung, codecs, shape, open.DecisionBytes > 0), -1))];
    }

    public int Count => _rungs.Length;

    /// <summary>True when slots are evicted on some rung.</summary>
    public bool Evicts => Array.Exists(_rungs, rung => rung.Evicts);

    /// <summary>True when the last queries choose what is evicted on some rung.</summary>
    public bool Observes => Array.Exists(_rungs, rung => rung.Observes);

    public RungFormat this[int rung] => _rungs[rung];

    /// <summary>Bytes of the smallest unit of any rung.</summary>
    public int SmallestUnitBytes => _rungs.Min(rung => rung.UnitBytes);

    /// <summary>Values on one side of the largest unit of any rung.</summary>
    public int MostElements => _rungs.Max(rung => rung.Page.Shape.ElementCount);

    /// <summary>Different unit sizes, each of which may leave one extent partly filled.</summary>
    public int SizeCount => _rungs.Select(rung => SizeClass.For(rung.UnitBytes).StrideBytes).Distinct().Count();

    /// <summary>Registers the size classes.</summary>
    public void AddClasses(ExtentArena arena)
    {
        for (int rung = 0; rung < _rungs.Length; rung++)
        {
            _rungs[rung] = _rungs[rung] with { SizeClass = arena.AddClass(_rungs[rung].UnitBytes) };
        }
    }

    /// <summary>False when a shallower rung stores its units by the same codecs.</summary>
    public bool IsFirstOfForm(int rung)
    {
        for (int other = 0; other < rung; other++)
        {
            if (_rungs[other].Page.KeyCodec == _rungs[rung].Page.KeyCodec && _rungs[other].Page.ValueCodec == _rungs[rung].Page.ValueCodec)
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>Index of a name, or -1.</summary>
    public int IndexOf(string name) => Array.FindIndex(_rungs, rung => rung.Rung.Name == name);

    private static PageFormat Page(Rung rung, CodecSet codecs, KvShape shape, bool keepsDecisions)
    {
        if (codecs.Find(rung.KeyCodec) is not { } keys || codecs.Find(rung.ValueCodec) is not { } values)
        {
            throw new ArgumentException($"Rung '{rung.Name}' needs codecs {rung.KeyCodec} and {rung.ValueCodec}; this cache has {codecs.Names}.");
        }
        var page = new PageFormat(shape, keys, values, keepsDecisions);
        if (rung.Decided && !keepsDecisions)
        {
            throw new ArgumentException(
                $"Rung '{rung.Name}' evicts what the model marks, and this model marks nothing: it was not retrofitted with DMS (its file has no " +
                $"kvc.method). Use '{rung.Name.Replace(RungCatalog.DecidedSuffix, RungCatalog.EvictSuffix, StringComparison.Ordinal)}'.");
        }
        return rung.KeepOneIn == 1 || page.RowsMove
            ? page
            : throw new ArgumentException($"Rung '{rung.Name}' evicts slots, but slots of {rung.KeyCodec} or {rung.ValueCodec} do not stand alone.");
    }
}
