using Concertina.Compute.Allocation;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Memory;
using Concertina.Compute.KvCache.Rungs;

namespace Concertina.Compute.Engine.Elastic;

/// <summary>
/// The rungs of a cache as the plan sees them: all of them, and those a step can reach quickly. A rung of the second that is
/// slow to encode keeps its place, so that indices agree and floors stay in reach, and has fewer entries.
/// </summary>
internal static class ReflexLadders
{
    // The row quantizers have 1 to 1.2, trained codecs 40 and more.
    private const double QuickEncodeWeight = 4;

    /// <summary>Every rung.</summary>
    public static PlanLadder All(PagedKvCache cache, EngineLadder ladder, PlanOptions options) => Make(cache, ladder, options, quick: false);

    /// <summary>Those whose codecs encode quickly, or take their pages over without encoding.</summary>
    public static PlanLadder Quick(PagedKvCache cache, EngineLadder ladder, PlanOptions options) => Make(cache, ladder, options, quick: true);

    /// <summary>Whether a rung's own codecs encode quickly.</summary>
    public static bool IsQuick(RungFormat rung) =>
        rung.Page.KeyCodec.EncodeWeight <= QuickEncodeWeight && rung.Page.ValueCodec.EncodeWeight <= QuickEncodeWeight;

    private static PlanLadder Make(PagedKvCache cache, EngineLadder ladder, PlanOptions options, bool quick)
    {
        PlanRung[] rungs = new PlanRung[cache.Rungs.Count];
        double least = double.PositiveInfinity;
        for (int rung = 0; rung < rungs.Length; rung++)
        {
            // A rung that takes more than a shallower one frees nothing; the plan then leaves it alone.
            least = Math.Min(least, BytesPerToken(cache, rung));
            rungs[rung] = new PlanRung
            {
                Name = cache.Rungs[rung].Rung.Name,
                BytesPerToken = least,
                Distortion = Distortion(ladder[rung]),
                AttendRatio = ladder[rung].AttendRatio ?? 1,
                EncodeSecondsPerToken = (ladder[rung].EncodeNsPerToken ?? 0) * 1e-9,
                Sources = Sources(cache, rung, quick: false),
                Entries = Sources(cache, rung, quick),
            };
        }
        return new PlanLadder(rungs, ColumnsKept * KvShape.PageTokens, options);
    }

    // The sinks, the recent window and the open page.
    private static int ColumnsKept => KvCache.Columns.ColumnStore.ExactColumns - 1;

    private static double BytesPerToken(PagedKvCache cache, int rung)
    {
        RungFormat format = cache.Rungs[rung];
        UnitShape unit = format.Page.Shape;
        double page = ((double)SizeClass.For(format.UnitBytes).StrideBytes / (unit.HeadCount * unit.PageCount)) + sizeof(ulong);
        return page * cache.Shape.HeadCount / KvShape.PageTokens / format.Rung.KeepOneIn;
    }

    // Unmeasured rungs are ordered by the rate-distortion law of a uniform quantizer: a quarter of the error per bit.
    private static double Distortion(KvRungFacts rung) => rung.MeanKl ?? Math.Pow(4, -rung.Bits);

    private static uint Sources(PagedKvCache cache, int rung, bool quick)
    {
        uint sources = 0;
        for (int from = 0; from < rung; from++)
        {
            // What eviction has cut stays in head pages.
            bool accepted = !(cache.Rungs[from].Evicts && cache.Rungs[rung].Page.Shape.Kind != UnitKind.HeadPage)
                && Accepts(cache, from, rung, KvSide.Keys, quick) && Accepts(cache, from, rung, KvSide.Values, quick);
            sources |= accepted ? 1u << from : 0;
        }
        return sources;
    }

    private static bool Accepts(PagedKvCache cache, int from, int to, KvSide side, bool quick)
    {
        IKvCodec source = Codec(cache, from, side);
        IKvCodec target = Codec(cache, to, side);
        bool converts = source.Id == target.Id || (source.Id, target.Id) == (CodecId.CommVq2, CodecId.CommVq1);
        return converts || (target.Accepts(source.Id) && (!quick || target.EncodeWeight <= QuickEncodeWeight));
    }

    private static IKvCodec Codec(PagedKvCache cache, int rung, KvSide side) =>
        side == KvSide.Keys ? cache.Rungs[rung].Page.KeyCodec : cache.Rungs[rung].Page.ValueCodec;
}
