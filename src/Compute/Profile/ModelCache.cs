using Concertina.Compute.Kernels.Elementwise;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Codecs.CommVq;
using Concertina.Compute.KvCache.Codecs.CommVq.Books;
using Concertina.Compute.KvCache.Codecs.XQuant;
using Concertina.Compute.KvCache.Rungs;
using Concertina.Compute.KvCache.Transcoding;
using Concertina.Compute.Model;

namespace Concertina.Compute.Profile;

/// <summary>Makes the KV cache of a model with the rungs that its options and its profile give it.</summary>
public static class ModelCache
{
    private const string Automatic = "auto";

    /// <summary>Makes it.</summary>
    /// <param name="source">The model.</param>
    /// <param name="options">Budget, and which rungs.</param>
    /// <param name="profile">The model's profile, or null.</param>
    /// <exception cref="ArgumentException">The budget is too small, or <see cref="KvCacheOptions.Rungs"/> names what there is not.</exception>
    public static PagedKvCache Create(ModelSource source, KvCacheOptions options, KvProfile? profile)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(options);
        IReadOnlyList<Rung> rungs = Rungs(options, profile);
        PagedKvCache cache = new(source.Config.ToKvShape(), options, new CacheParts
        {
            Open = CodecCatalog.ForOpenPages(options),
            Codecs = Codecs(source, profile, rungs, options.GuardFactor),
            Rungs = rungs,
            KeepsDecisions = KeepsDecisions(source, rungs),
        });
        if (options.Rungs == Automatic || FirstOutOfOrder(cache) is not { } wrong)
        {
            return cache;
        }
        cache.Dispose();
        throw new ArgumentException($"KvCache:Rungs: {wrong} Name rungs from most bytes to fewest.");
    }

    // A floor allows every rung before the deepest one it reaches, so none may take more bytes than the one before.
    private static string? FirstOutOfOrder(PagedKvCache cache)
    {
        const int Tokens = 8192;
        for (int rung = 1; rung < cache.Rungs.Count; rung++)
        {
            (long before, long bytes) = (cache.SettledBytes(Tokens, rung - 1), cache.SettledBytes(Tokens, rung));
            if (bytes > before)
            {
                return $"'{cache.Rungs[rung].Rung.Name}' takes {bytes:N0} bytes for {Tokens} tokens, '{cache.Rungs[rung - 1].Rung.Name}' before it {before:N0}.";
            }
        }
        return null;
    }

    /// <summary>Names of the rungs below lossless that a cache of these options would have, shallow to deep.</summary>
    /// <exception cref="ArgumentException"><see cref="KvCacheOptions.Rungs"/> names what there is not.</exception>
    public static IReadOnlyList<string> RungNames(KvCacheOptions options, KvProfile? profile)
    {
        ArgumentNullException.ThrowIfNull(options);
        return [.. Rungs(options, profile).Select(rung => rung.Name)];
    }

    /// <summary>Whether head pages keep what the model decides of its tokens: where a rung evicts by it.</summary>
    /// <exception cref="ArgumentException">A rung evicts what the model marks, and what it marks may not go when it leaves the recent window, or it marks nothing.</exception>
    internal static bool KeepsDecisions(ModelSource source, IEnumerable<Rung> rungs)
    {
        if (rungs.FirstOrDefault(rung => rung.Decided) is not { } decided)
        {
            return false;
        }
        if (source.Config.KvMethod is { } method && method.Window > Squeezer.RecentTokens)
        {
            throw new ArgumentException(
                $"Rung '{decided.Name}' evicts what the model marks once it leaves the recent window of {Squeezer.RecentTokens} tokens, but this model " +
                $"needs {method.Window} (kvc.window). Use a rung without {RungCatalog.DecidedSuffix}, or retrofit for a shorter window.");
        }
        return source.Config.KvMethod is not null; // a cache refuses the rung where nothing is marked
    }

    /// <summary>The codecs that a cache with some rungs can have; those with maps of the model only where a rung needs them.</summary>
    /// <param name="source">The model.</param>
    /// <param name="profile">Its profile, or null.</param>
    /// <param name="rungs">The rungs.</param>
    /// <param name="guardFactor">See <see cref="KvCacheOptions.GuardFactor"/>; 0, for all but serving, guards nothing.</param>
    internal static CodecSet Codecs(ModelSource source, KvProfile? profile, IEnumerable<Rung> rungs, double guardFactor = 0)
    {
        CodecSet codecs = profile?.Books is { } books
            ? CodecCatalog.WithCommVq(SetupFor(source, books) with
            {
                Residuals = guardFactor > 0 ? profile.Residuals : null,
                GuardFactor = guardFactor,
            })
            : CodecCatalog.WithoutProfile();
        return profile?.Latents is { } latents && rungs.Any(RungCatalog.NeedsLatents) ? CodecCatalog.WithXQuant(codecs, SetupFor(source, latents)) : codecs;
    }

    /// <summary>The same with the arms that the profile has books for, to be compared.</summary>
    internal static CodecSet CodecsWithArms(ModelSource source, KvProfile? profile, IEnumerable<Rung> rungs) => profile is null || profile.ArmBooks.Count == 0
        ? Codecs(source, profile, rungs)
        : new CodecSet([
            .. Codecs(source, profile, rungs).All,
            .. CommVqArm.All.Where(arm => profile.ArmBooks.ContainsKey(arm.Name))
                .Select(arm => CommVqCodec.MakeArm(arm, SetupFor(source, profile.ArmBooks[arm.Name]))),
        ]);

    /// <summary>How CommVQ's codebooks are used with a model.</summary>
    internal static CommVqSetup SetupFor(ModelSource source, CommVqBooks books)
    {
        ModelConfig config = source.Config;
        return new CommVqSetup
        {
            Books = books,
            Frequencies = Frequencies(source),
            PositionCount = config.ContextLength,
            HistogramValues = CommVqSetup.PrefersHistogram(books.Shape, config.GroupSize),
        };
    }

    /// <summary>How XQuant's latent maps are used with a model.</summary>
    internal static XQuantSetup SetupFor(ModelSource source, IReadOnlyList<LayerLatents> latents) => new()
    {
        Shape = source.Config.ToKvShape(),
        Layers = latents,
        Frequencies = Frequencies(source),
        PositionCount = source.Config.ContextLength,
    };

    private static double[] Frequencies(ModelSource source) => Rotary.Frequencies(
        source.Config.RopeDim, source.Config.RopeBase, source.Config.RopeLinearFactor, source.RopeFrequencyDivisors.Span);

    /// <summary>The rungs below lossless that the options name.</summary>
    /// <exception cref="ArgumentException">A name is no rung, stands twice, or needs a profile that is not there.</exception>
    internal static IReadOnlyList<Rung> Rungs(KvCacheOptions options, KvProfile? profile)
    {
        if (options.Rungs == Automatic)
        {
            IEnumerable<string> ladder = profile?.Rungs.Where(rung => rung.OnLadder).Select(rung => rung.Name)
                ?? RungCatalog.WithoutProfile.Select(rung => rung.Name);
            // The 32-bit form is there for tests; it has no ladder.
            return options.Codec == "f16" ? [.. ladder.Where(name => name != "f16").Select(RungCatalog.Parse)] : [];
        }
        List<Rung> rungs = [];
        foreach (string name in options.Rungs.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (!RungCatalog.TryParse(name, out Rung? rung, out string? problem))
            {
                throw new ArgumentException($"KvCache:Rungs: {problem}");
            }
            if (RungCatalog.NeedsProfile(rung) && profile?.Serves(rung) != true)
            {
                string needed = RungCatalog.NeedsLatents(rung) ? "latent maps" : "codebooks";
                throw new ArgumentException(
                    $"KvCache:Rungs names '{name}', which needs {needed} from a KV profile of this model, and there are none. " +
                    "Make one (concertina calibrate), or leave the rung out.");
            }
            if (rungs.Exists(other => other.Name == name))
            {
                throw new ArgumentException($"KvCache:Rungs names '{name}' twice.");
            }
            if (name != "f16")
            {
                rungs.Add(rung);
            }
        }
        return rungs;
    }
}
