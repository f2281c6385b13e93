using System.Globalization;
using Concertina.Compute.Allocation;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Rungs;
using Concertina.Compute.Profile;

namespace Concertina.Compute.Engine;

/// <summary>
/// The rungs of the served model, shallow to deep, and how deep a request allows. Rung i is rung i of the cache. Pure; any
/// thread.
/// </summary>
internal sealed class EngineLadder
{
    private const string FloorMember = "kv.floor";
    private readonly double _defaultFloorNats;

    /// <param name="rungs">Facts of each rung, lossless first.</param>
    /// <param name="defaultFloorNats">Most predicted distortion of requests that name no floor, in nats per token.</param>
    public EngineLadder(IReadOnlyList<KvRungFacts> rungs, double defaultFloorNats)
    {
        Rungs = rungs;
        _defaultFloorNats = defaultFloorNats;
    }

    /// <summary>Facts of each rung.</summary>
    public IReadOnlyList<KvRungFacts> Rungs { get; }

    public KvRungFacts this[int rung] => Rungs[rung];

    /// <summary>Index of a name, or -1.</summary>
    public int IndexOf(string name)
    {
        for (int rung = 0; rung < Rungs.Count; rung++)
        {
            if (Rungs[rung].Name == name)
            {
                return rung;
            }
        }
        return -1;
    }

    /// <summary>Facts of a cache's rungs: bytes as they are there, measures as the profile has them.</summary>
    public static KvRungFacts[] Of(PagedKvCache cache, KvProfile? profile)
    {
        KvRungFacts[] facts = new KvRungFacts[cache.Rungs.Count];
        double losslessBytes = cache.SettledBytes(KvRungFacts.AtTokens, 0);
        double? losslessAttendNs = profile?.Rungs.FirstOrDefault(measured => measured.Name == "f16")?.AttendNs;
        for (int rung = 0; rung < facts.Length; rung++)
        {
            long bytes = cache.SettledBytes(KvRungFacts.AtTokens, rung);
            string name = cache.Rungs[rung].Rung.Name;
            RungMeasure? measure = profile?.Rungs.FirstOrDefault(measured => measured.Name == name);
            facts[rung] = new KvRungFacts
            {
                Name = name,
                Bits = cache.Pages.BitsPerValue * bytes / losslessBytes,
                Ratio = losslessBytes / bytes,
                BytesPerToken = (bytes + KvRungFacts.AtTokens - 1) / KvRungFacts.AtTokens,
                MeanKl = rung == 0 ? 0 : measure?.MeanKl,
                P99Kl = rung == 0 ? 0 : measure?.P99Kl,
                Recall = measure?.Recall,
                AttendRatio = losslessAttendNs > 0 ? measure?.AttendNs / losslessAttendNs : null,
                EncodeNsPerToken = measure?.EncodeNs * cache.Shape.HeadCount,
            };
        }
        return facts;
    }

    /// <summary>
    /// Predicted distortion of a table whose units may be on several rungs, in nats per token (<see cref="DistortionMix"/>); null:
    /// one of them was not measured.
    /// </summary>
    public double? Distortion(PageTable table)
    {
        Span<double> shares = stackalloc double[Rungs.Count];
        Span<MixedRung> mixed = stackalloc MixedRung[Rungs.Count];
        RungShares.Of(table, DistortionMix.Default.Decay, shares);
        for (int rung = 0; rung < shares.Length; rung++)
        {
            if (shares[rung] > 0 && Rungs[rung].MeanKl is null)
            {
                return null;
            }
            mixed[rung] = new MixedRung(Rungs[rung].MeanKl ?? 0, table.Owner.Rungs[rung].Evicts);
        }
        return DistortionMix.Default.Predict(shares, mixed);
    }

    /// <summary>How deep a request allows: the tightest of its bounds.</summary>
    /// <param name="kv">What it asks.</param>
    /// <param name="deepest">Index of the deepest rung it allows.</param>
    /// <returns>Why it cannot be understood; null: it can.</returns>
    public EngineRefusal? Resolve(KvSpec kv, out int deepest)
    {
        deepest = 0;
        if (Malformed(kv) is { } refusal)
        {
            return refusal;
        }
        if (kv.Mode == KvMode.Lossless)
        {
            return null;
        }
        Floor tenant = new(kv.TenantFloorRung, kv.TenantFloorNats);
        Floor asked = new(kv.FloorRung, kv.FloorNats);
        if (tenant.IsNamed && Loosened(tenant, asked) is { } loosened)
        {
            return loosened;
        }
        Floor own = tenant.IsNamed ? tenant : new Floor(null, _defaultFloorNats);
        deepest = Deepest(asked.IsNamed ? asked : own, kv.MaxRatio ?? double.PositiveInfinity);
        return null;
    }

    // What the tenant allows may be tightened by a request, and never loosened: a floor is a promise about quality.
    private EngineRefusal? Loosened(Floor tenant, Floor asked)
    {
        if (tenant.Rung is { } name && IndexOf(name) < 0)
        {
            return Invalid(FloorMember, $"The tenant's default floor '{name}' is no rung of this model; its ladder is {Names}. The operator has to change it (DefaultFloor).");
        }
        int most = Deepest(tenant, double.PositiveInfinity);
        int deepest = asked.IsNamed ? Deepest(asked, double.PositiveInfinity) : 0;
        // Fewer bytes are not always a worse rung: what is named has to keep the tenant's number itself.
        bool keeps = deepest == 0 || tenant.Nats is not { } bound || asked.Rung is null || IsWithin(Rungs[deepest], bound);
        return deepest <= most && keeps
            ? null
            : Invalid(FloorMember, $"The floor {asked} reaches rung '{Rungs[deepest].Name}'; the tenant allows {tenant}, rung '{Rungs[most].Name}' at the deepest. Name a floor that is not deeper, or none.");
    }

    private int Deepest(Floor floor, double maxRatio)
    {
        int deepest = 0;
        int named = floor.Rung is { } name ? IndexOf(name) : Rungs.Count - 1;
        for (int rung = 1; rung <= named; rung++)
        {
            bool withinFloor = floor.Nats is not { } most || IsWithin(Rungs[rung], most);
            if (withinFloor && Rungs[rung].Ratio <= maxRatio)
            {
                deepest = rung;
            }
        }
        return deepest;
    }

    // A rung that was not measured on this model promises nothing, and one that forgets reads well and answers wrong: both are
    // had by name alone.
    private bool IsWithin(KvRungFacts rung, double nats) => rung.MeanKl <= nats
        && (rung.Recall is not { } recall || recall >= (Rungs[0].Recall ?? 0) - RungMeasure.MostRecallLoss);

    private EngineRefusal? Malformed(KvSpec kv)
    {
        if (kv.FloorRung is { } floor && IndexOf(floor) < 0)
        {
            return Invalid(FloorMember, $"This model has no rung '{floor}'; its ladder is {Names}.");
        }
        if (kv.FloorNats is { } nats && !(double.IsFinite(nats) && nats >= 0))
        {
            return Invalid(FloorMember, $"The floor is {nats} nats per token; a finite number of at least 0 is needed.");
        }
        return kv.MaxRatio is { } ratio && !(double.IsFinite(ratio) && ratio >= 1)
            ? Invalid("kv.max_ratio", $"The largest ratio is {ratio}; a finite number of at least 1 is needed.")
            : null;
    }

    private static EngineRefusal Invalid(string param, string message) => new(RefusalKind.Invalid, message) { Param = param };

    private string Names => string.Join(", ", Rungs.Select(rung => rung.Name));

    // Both may be set; the tighter one counts.
    private readonly record struct Floor(string? Rung, double? Nats)
    {
        public bool IsNamed => Rung is not null || Nats is not null;

        public override string ToString() => string.Create(
            CultureInfo.InvariantCulture, $"{(Rung is null ? "" : $"'{Rung}'")}{(Rung is null || Nats is null ? "" : " and ")}{(Nats is { } nats ? $"{nats} nats per token" : "")}");
    }
}
