using Concertina.Compute.Engine;

namespace Concertina.Engine.Tests;

public sealed class EngineLadderTests
{
    private static readonly EngineLadder Ladder = new(
        [
            Rung("f16", 1, 0, 0.98), Rung("int8", 1.8, 0.0002, 0.98), Rung("int4", 3.3, 0.0005, 0.97), Rung("unmeasured", 4, null, null),
            Rung("commvq2", 6.2, 0.004, 0.96), Rung("forgets", 7, 0.005, 0.5), Rung("commvq1", 9.9, 0.013, 0.75),
        ],
        defaultFloorNats: 0.01);

    [Theory]
    [InlineData(null, null, null, "commvq2")] // the default floor
    [InlineData(null, 0.001, null, "int4")]
    [InlineData(null, 0.0, null, "f16")]
    [InlineData(null, 100.0, null, "commvq2")] // what forgets is had by name alone
    [InlineData("forgets", null, null, "forgets")]
    [InlineData("commvq1", null, null, "commvq1")]
    [InlineData("unmeasured", null, null, "unmeasured")]
    [InlineData("commvq1", null, 3.5, "int4")]
    [InlineData(null, null, 1.0, "f16")]
    [InlineData("f16", 100.0, null, "f16")]
    [InlineData("commvq1", 0.001, null, "int4")]
    public void A_request_may_go_as_deep_as_the_tightest_of_its_bounds(string? rung, double? nats, double? ratio, string deepest)
    {
        Assert.Null(Ladder.Resolve(new KvSpec { FloorRung = rung, FloorNats = nats, MaxRatio = ratio }, out int found));
        Assert.Equal(deepest, Ladder[found].Name);
    }

    [Fact]
    public void Lossless_stays_lossless_whatever_the_bounds()
    {
        Assert.Null(Ladder.Resolve(new KvSpec { Mode = KvMode.Lossless, FloorRung = "commvq1" }, out int found));
        Assert.Equal(0, found);
    }

    [Theory]
    [InlineData("int3", null, null, "kv.floor")]
    [InlineData(null, double.NaN, null, "kv.floor")]
    [InlineData(null, -0.1, null, "kv.floor")]
    [InlineData(null, null, 0.5, "kv.max_ratio")]
    [InlineData(null, null, double.PositiveInfinity, "kv.max_ratio")]
    public void Bounds_that_mean_nothing_are_refused_by_name(string? rung, double? nats, double? ratio, string param)
    {
        EngineRefusal refusal = Ladder.Resolve(new KvSpec { FloorRung = rung, FloorNats = nats, MaxRatio = ratio }, out _)!;

        Assert.Equal((RefusalKind.Invalid, param), (refusal.Kind, refusal.Param));
    }

    [Theory]
    [InlineData("unmeasured")] // nobody knows
    [InlineData("commvq1")]
    public void A_tenants_number_is_not_got_round_by_naming_a_rung_that_does_not_keep_it(string rung)
    {
        EngineRefusal refusal = Ladder.Resolve(new KvSpec { TenantFloorNats = 0.0045, FloorRung = rung }, out _)!;

        Assert.Equal((RefusalKind.Invalid, "kv.floor"), (refusal.Kind, refusal.Param));
    }

    [Theory]
    [InlineData("int4", null, null, null, null, "int4")] // what a request gets that names no floor: deeper than the default, or not
    [InlineData("forgets", null, null, null, null, "forgets")]
    [InlineData(null, 0.001, null, null, null, "int4")]
    [InlineData("commvq2", null, "int8", null, null, "int8")]
    [InlineData("commvq2", null, null, 0.001, null, "int4")]
    [InlineData("commvq2", null, "commvq2", null, null, "commvq2")]
    [InlineData("commvq2", null, null, null, 3.5, "int4")]
    [InlineData("commvq2", null, null, 100.0, null, "commvq2")] // a number that reaches no deeper loosens nothing
    [InlineData("f16", null, null, null, null, "f16")]
    public void A_tenants_floor_is_what_a_request_gets_and_may_tighten(
        string? tenantRung, double? tenantNats, string? rung, double? nats, double? ratio, string deepest)
    {
        KvSpec kv = new() { TenantFloorRung = tenantRung, TenantFloorNats = tenantNats, FloorRung = rung, FloorNats = nats, MaxRatio = ratio };

        Assert.Null(Ladder.Resolve(kv, out int found));
        Assert.Equal(deepest, Ladder[found].Name);
    }

    [Theory]
    [InlineData("int4", null, "commvq2", null)]
    [InlineData("int4", null, null, 0.01)]
    [InlineData(null, 0.001, "unmeasured", null)]
    [InlineData("f16", null, "int8", null)]
    public void A_request_never_loosens_its_tenants_floor(string? tenantRung, double? tenantNats, string? rung, double? nats)
    {
        KvSpec kv = new() { TenantFloorRung = tenantRung, TenantFloorNats = tenantNats, FloorRung = rung, FloorNats = nats };

        EngineRefusal refusal = Ladder.Resolve(kv, out _)!;
        Assert.Equal((RefusalKind.Invalid, "kv.floor"), (refusal.Kind, refusal.Param));
        Assert.Contains("the tenant allows", refusal.Message, StringComparison.Ordinal);

        Assert.Null(Ladder.Resolve(kv with { Mode = KvMode.Lossless }, out int found)); // tighter than any floor
        Assert.Equal(0, found);
    }

    [Fact]
    public void A_tenants_floor_that_the_model_lacks_is_said_to_be_the_operators()
    {
        EngineRefusal refusal = Ladder.Resolve(new KvSpec { TenantFloorRung = "int3" }, out _)!;

        Assert.Contains("'int3'", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("operator", refusal.Message, StringComparison.Ordinal);
    }

    private static KvRungFacts Rung(string name, double ratio, double? kl, double? recall) =>
        new() { Name = name, Bits = 16 / ratio, Ratio = ratio, BytesPerToken = (long)(4096 / ratio), MeanKl = kl, P99Kl = kl, Recall = recall };
}
