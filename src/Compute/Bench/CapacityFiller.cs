using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Transcoding;

namespace Concertina.Compute.Bench;

/// <summary>Makes sessions on the deepest rung of a cache as the engine does, until bytes are short.</summary>
internal sealed class CapacityFiller(PagedKvCache cache, CapacitySettings settings)
{
    private const int ChunkTokens = KvShape.PageTokens;

    private readonly List<PageTable> _sessions = [];
    private readonly Random _random = new(settings.Seed);
    private readonly float[] _keys = new float[ChunkTokens * cache.Shape.KvHeadCount * cache.Shape.HeadDim];
    private readonly float[] _values = new float[ChunkTokens * cache.Shape.KvHeadCount * cache.Shape.HeadDim];

    // What eviction ranks by; other rungs ask for none.
    private readonly float[] _queries =
        new float[cache.Rungs.Observes ? ChunkTokens * cache.Shape.KvHeadCount * cache.Shape.GroupSize * cache.Shape.HeadDim : 0];

    /// <summary>Makes sessions until one does not fit, which is released again.</summary>
    /// <returns>Sessions that fit.</returns>
    public int Fill(CancellationToken cancellation)
    {
        while (TryMake(cancellation, out PageTable session))
        {
            _sessions.Add(session);
        }
        return _sessions.Count;
    }

    /// <summary>Releases every session.</summary>
    public void Empty()
    {
        _sessions.ForEach(cache.Release);
        _sessions.Clear();
    }

    private bool TryMake(CancellationToken cancellation, out PageTable session)
    {
        cancellation.ThrowIfCancellationRequested();
        if (_sessions.Count > 0 && !settings.GrowAll)
        {
            return TryCopy(_sessions[0], out session);
        }
        session = cache.CreateTable();
        Squeezer.SetRung(session, cache.Rungs.Count - 1);
        while (session.TokenCount < settings.Tokens)
        {
            cancellation.ThrowIfCancellationRequested();
            if (!TryGrow(session))
            {
                cache.Release(session);
                return false;
            }
        }
        return true;
    }

    private bool TryCopy(PageTable first, out PageTable session)
    {
        if (!cache.TryFork(first, out session, deep: true))
        {
            return false;
        }
        Squeezer.SetRung(session, first.Rung);
        if (!cache.Interior.Observations.TryCopy(first, session))
        {
            cache.Release(session);
            return false;
        }
        return true;
    }

    private bool TryGrow(PageTable session)
    {
        int first = session.TokenCount;
        int count = Math.Min(ChunkTokens, settings.Tokens - first);
        if (!cache.TryReserve(session, first + count))
        {
            return false;
        }
        int numbers = count * cache.Shape.KvHeadCount * cache.Shape.HeadDim;
        for (int layer = 0; layer < cache.Shape.LayerCount; layer++)
        {
            Randomise(_keys.AsSpan(0, numbers));
            Randomise(_values.AsSpan(0, numbers));
            Randomise(_queries);
            cache.Write(session, layer, new KvRows
            {
                FirstPosition = first,
                RowCount = count,
                Keys = _keys.AsSpan(0, numbers),
                Values = _values.AsSpan(0, numbers),
                Queries = _queries,
            });
        }
        cache.Commit(session, first + count);
        // The last chunk ends with the last eviction: there is one table, so that none waits for another's.
        SqueezeOutcome outcome;
        do
        {
            outcome = cache.StepTowardsRung(session).Outcome;
        }
        while (outcome == SqueezeOutcome.Worked);
        return outcome == SqueezeOutcome.Done;
    }

    private void Randomise(Span<float> numbers)
    {
        foreach (ref float number in numbers)
        {
            number = _random.NextSingle() - 0.5f;
        }
    }
}
