using Concertina.Compute.Engine;
using Concertina.Engine.Tests.Kit;

namespace Concertina.Engine.Tests;

public sealed class KvSpecTests
{
    private static readonly int[] Prompt = EngineBench.Prompt(100, seed: 3);

    [Fact]
    public async Task A_floor_that_the_ladder_lacks_is_refused_with_the_ladder()
    {
        await using EngineBench bench = new();

        EngineRefusal refusal = Refused(bench, new KvSpec { FloorRung = "int99" });

        Assert.Contains("'int99'", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(string.Join(", ", bench.Engine.Ladder.Select(rung => rung.Name)), refusal.Message, StringComparison.Ordinal);
        Assert.Equal("kv.floor", refusal.Param);
    }

    [Theory]
    [InlineData(-0.001)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public async Task A_floor_in_nats_is_a_finite_number_of_at_least_0(double nats)
    {
        await using EngineBench bench = new();

        Assert.Equal("kv.floor", Refused(bench, new KvSpec { FloorNats = nats }).Param);
    }

    [Theory]
    [InlineData(0.999)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public async Task A_largest_ratio_is_a_finite_number_of_at_least_1(double ratio)
    {
        await using EngineBench bench = new();

        Assert.Equal("kv.max_ratio", Refused(bench, new KvSpec { MaxRatio = ratio }).Param);
    }

    [Theory]
    [InlineData(KvMode.Elastic)]
    [InlineData(KvMode.Lossless)]
    [InlineData(KvMode.Economy)]
    public async Task Every_rung_of_the_ladder_is_a_floor_in_every_mode(KvMode mode)
    {
        await using EngineBench bench = new();

        foreach (KvRungFacts rung in bench.Engine.Ladder)
        {
            KvSpec kv = new() { Mode = mode, FloorRung = rung.Name, FloorNats = 0, MaxRatio = 1 };
            bench.Finish(EngineBench.Submit(bench.Open(), bench.Spec(Prompt) with { Kv = kv }));
        }
    }

    [Fact]
    public async Task The_ladder_begins_with_the_lossless_rung_and_its_bytes_are_the_commitments()
    {
        await using EngineBench bench = new();

        KvRungFacts lossless = bench.Engine.Ladder[0];

        Assert.Equal(("f16", 16.0, 1.0, 0.0), (lossless.Name, lossless.Bits, lossless.Ratio, lossless.MeanKl));
        Assert.Equal(Math.Ceiling(bench.Cache.CommitmentBytes(8192) / 8192.0), lossless.BytesPerToken);
    }

    [Fact]
    public async Task A_lossless_generation_ends_on_the_lossless_rung_with_its_numbers()
    {
        await using EngineBench bench = new();
        SequenceHandle handle = bench.Open();
        TokenStream stream = EngineBench.Submit(handle, bench.Spec(Prompt) with { Kv = new KvSpec { Mode = KvMode.Lossless } });

        bench.Finish(stream);

        GenerationEnd end = stream.End!;
        Assert.Equal(("f16", 16.0, 1.0, 0.0, 0L, true), (end.Rung, end.Bits, end.Ratio, end.Distortion, end.Transcodes, end.Exact));
        Assert.Equal("f16", handle.Rung);
        Assert.Equal("f16", Assert.Single(bench.Engine.Sequences()).Rung);
    }

    [Fact]
    public async Task An_assignment_of_an_unknown_rung_or_sequence_is_said_to_change_nothing()
    {
        await using EngineBench bench = new();
        bench.Open(session: "known");
        string lossless = bench.Engine.Ladder[0].Name;

        Assert.True(bench.Engine.Assign("tenant/known", lossless));
        Assert.False(bench.Engine.Assign("tenant/known", "int99"));
        Assert.False(bench.Engine.Assign("tenant/unknown", lossless));
    }

    private static EngineRefusal Refused(EngineBench bench, KvSpec kv)
    {
        EngineRefusal refusal = EngineBench.TrySubmit(bench.Open(), bench.Spec(Prompt) with { Kv = kv }).Refusal!;
        Assert.Equal(RefusalKind.Invalid, refusal.Kind);
        return refusal;
    }
}
