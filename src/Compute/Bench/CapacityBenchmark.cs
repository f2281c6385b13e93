using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Rungs;
using Concertina.Compute.Model;
using Concertina.Compute.Profile;

namespace Concertina.Compute.Bench;

/// <summary>Counts the sessions that fit a budget on each rung by making them until a reservation fails.</summary>
public static class CapacityBenchmark
{
    /// <summary>Fills one cache per rung.</summary>
    /// <param name="source">The model.</param>
    /// <param name="profile">Its profile, or null.</param>
    /// <param name="settings">What to fill.</param>
    /// <param name="cancellation">Cancels between sessions.</param>
    /// <exception cref="ArgumentException">A rung is unknown or needs codebooks that are not there; or the length or budget does not suit the model.</exception>
    /// <exception cref="InvalidOperationException">A law of the cache is broken; the message names it.</exception>
    public static IReadOnlyList<CapacityResult> Run(
        ModelSource source, KvProfile? profile, CapacitySettings settings, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(settings);
        if (settings.Tokens > source.Config.ContextLength)
        {
            throw new ArgumentException(
                $"A session of {settings.Tokens:N0} tokens exceeds the model's context of {source.Config.ContextLength:N0}. Ask for fewer.", nameof(settings));
        }
        Rung[] rungs = [.. settings.Rungs.Select(RungCatalog.Parse)];
        var setup = new CapacitySetup(source.Config.ToKvShape(), ModelCache.Codecs(source, profile, rungs), settings);
        return [.. rungs.Select(rung => Measure(setup, rung, cancellation))];
    }

    /// <summary>Fills the cache of one rung, empties it, and holds it to its laws.</summary>
    internal static CapacityResult Measure(CapacitySetup setup, Rung rung, CancellationToken cancellation)
    {
        var options = new KvCacheOptions { BudgetBytes = setup.Settings.BudgetBytes };
        using var cache = new PagedKvCache(setup.Shape, options, new CacheParts
        {
            Open = CodecCatalog.ForOpenPages(options),
            Codecs = setup.Codecs,
            Rungs = rung.Name == "f16" ? [] : [rung],
        });
        long emptyBytes = cache.UsedBytes;
        var filler = new CapacityFiller(cache, setup.Settings);
        int sessions = filler.Fill(cancellation);
        cache.CheckIntegrity();
        KvCacheStatistics full = cache.Statistics();
        filler.Empty();
        cache.CheckIntegrity();
        Require(cache.UsedBytes == emptyBytes && cache.Statistics().LiveUnits == 0,
            $"on {rung.Name}, {cache.UsedBytes - emptyBytes:N0} bytes and {cache.Statistics().LiveUnits:N0} units are left after every session was released");
        CapacityResult result = Result(cache, rung, full, (sessions, setup.Settings.Tokens, emptyBytes));
        RequireFormula(cache, result, emptyBytes);
        return result;
    }

    private static CapacityResult Result(
        PagedKvCache cache, Rung rung, KvCacheStatistics full, (int Sessions, int Tokens, long EmptyBytes) counted)
    {
        int deepest = cache.Rungs.Count - 1;
        long formula = cache.SettledBytes(counted.Tokens, deepest, atRest: true) + Waiting(cache, deepest);
        return new CapacityResult
        {
            Rung = rung.Name,
            Sessions = counted.Sessions,
            FormulaSessions = (int)(cache.CommittableBytes / formula),
            BytesPerSession = counted.Sessions == 0 ? 0 : (full.UsedBytes - counted.EmptyBytes) / counted.Sessions,
            FormulaBytes = formula,
            SettledBytes = cache.SettledBytes(counted.Tokens, deepest),
            UsedBytes = full.UsedBytes,
            FragmentedBytes = full.FragmentedBytes,
            BudgetBytes = full.BudgetBytes,
        };
    }

    // Eviction waits until there is a unit per head to evict, and heads' lists differ in length: a block of them more.
    private static long Waiting(PagedKvCache cache, int rung) => cache.Rungs[rung].Evicts
        ? ((long)cache.Shape.HeadCount * cache.Interior.Columns.ShareBytes(cache.Rungs[rung].SizeClass)) + cache.Interior.Columns.Sizes.ListBlockBytes
        : 0;

    // The promise must be kept, and nothing may be held beyond the budget. Where sessions are made by growing, the columns on
    // their way to the rung can keep one more from being made.
    private static void RequireFormula(PagedKvCache cache, CapacityResult result, long emptyBytes)
    {
        long most = (cache.BudgetBytes - emptyBytes) / result.FormulaBytes;
        Require(result.Sessions >= result.FormulaSessions - 1 && result.Sessions <= most + 1,
            $"on {result.Rung}, {result.Sessions:N0} sessions fit, but the formula says {result.FormulaSessions:N0} to {most:N0} of {result.FormulaBytes:N0} bytes");
        Require(result.BytesPerSession <= result.FormulaBytes,
            $"on {result.Rung}, a session took {result.BytesPerSession:N0} bytes, but the formula says at most {result.FormulaBytes:N0}");
    }

    private static void Require(bool holds, string problem)
    {
        if (!holds)
        {
            throw new InvalidOperationException($"KV cache capacity: {problem}.");
        }
    }
}
