using Concertina.Compute.Engine;
using Concertina.Contracts.Sessions;
using Concertina.Contracts.Tenants;
using Concertina.Contracts.Workers;
using Concertina.Grains.Tests.Fakes;

namespace Concertina.Grains.Tests.Sessions;

/// <summary>What a request asks of its KV cache reaches the engine; what the engine says of it reaches the caller.</summary>
public sealed class SessionKvTests : IAsyncLifetime
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(30);
    private TestSilo _silo = null!;

    public async ValueTask InitializeAsync() => _silo = await TestSilo.Start();

    public ValueTask DisposeAsync() => _silo.DisposeAsync();

    [Theory]
    [InlineData(KvPolicy.Elastic, KvMode.Elastic)]
    [InlineData(KvPolicy.Lossless, KvMode.Lossless)]
    [InlineData(KvPolicy.Economy, KvMode.Economy)]
    public async Task Policy_and_bounds_reach_the_engine_as_they_are(KvPolicy policy, KvMode mode)
    {
        GenerateRequest request = Stream.Request("r", 1) with { Policy = policy, FloorRung = "int4", FloorNats = 0.01, MaxRatio = 4, TenantFloorRung = "int2", TenantFloorNats = 0.5, Priority = TenantPriority.High };

        FakeGeneration generation = await Run(request);

        Assert.Equal(new KvSpec { Mode = mode, FloorRung = "int4", FloorNats = 0.01, MaxRatio = 4, TenantFloorRung = "int2", TenantFloorNats = 0.5 }, generation.Spec.Kv);
        Assert.Equal(RequestPriority.High, generation.Spec.Priority);
    }

    [Fact]
    public async Task A_request_without_bounds_sets_none() => Assert.Equal(new KvSpec(), (await Run(Stream.Request("r", 1))).Spec.Kv);

    [Theory]
    [InlineData(0.004)]
    [InlineData(null)]
    public async Task What_a_generation_ran_on_reaches_the_caller(double? distortion)
    {
        await using Stream stream = new(_silo.Session(), Stream.Request("r", 1));
        Task<FinishFacts> reading = TestSilo.ReadAll(stream);
        FakeGeneration generation = await _silo.Submitted();
        generation.EndAs = end => end with { Rung = "int4", Bits = 4.5, Ratio = 3.4, Distortion = distortion, Transcodes = 12, Exact = false };
        generation.Complete();

        FinishFacts facts = await reading.WaitAsync(Guard);

        Assert.Equal(("int4", 4.5, 3.4, 12L, false), (facts.Rung, facts.Bits, facts.Ratio, facts.Transcodes, facts.Exact));
        Assert.Equal(distortion, facts.Distortion);
    }

    [Fact]
    public async Task A_refusal_names_what_of_the_request_it_is_about()
    {
        _silo.Engine.Refusal = new EngineRefusal(RefusalKind.Invalid, "No such rung.") { Param = "kv.floor" };
        await using Stream stream = new(_silo.Session(), Stream.Request("r", 1) with { FloorRung = "int99" });

        Refusal refusal = await stream.Refused();

        Assert.Equal((RefusalReason.Invalid, "No such rung.", "kv.floor"), (refusal.Reason, refusal.Message, refusal.Param));
    }

    [Fact]
    public async Task The_status_names_the_rung_the_session_is_on_and_remembers_it()
    {
        await _silo.Turn("one", [1, 2], [3]);
        Assert.Equal("f16", (await _silo.Session().Status()).Rung);

        Assert.True(_silo.Engine.Assign("t/s", "int4"));
        Assert.Equal("int4", (await _silo.Session().Status()).Rung);

        await _silo.Turn("two", [1, 2, 3, 4], [5]);
        await _silo.Restart();
        Assert.Equal("int4", (await _silo.Session().Status()).Rung);
    }

    [Fact]
    public async Task The_ladder_travels_whole()
    {
        IWorkerGrain worker = _silo.Grains.GetGrain<IWorkerGrain>(Fakes.Workers.Key);

        KvLadder ladder = (await worker.Ladder())!;

        Assert.Equal(["f16", "int4"], ladder.Rungs.Select(rung => rung.Name));
        KvRungFacts sent = _silo.Engine.Ladder[1];
        KvRung got = ladder.Rungs[1];
        Assert.Equal((sent.Bits, sent.Ratio, sent.BytesPerToken, sent.MeanKl), (got.Bits, got.Ratio, got.BytesPerToken, got.MeanKl));
        Assert.Equal((sent.P99Kl, sent.Recall, sent.NeedsProfile), (got.P99Kl, got.Recall, got.NeedsProfile));
        Assert.Null(ladder.Rungs[0].Recall);
    }

    private async Task<FakeGeneration> Run(GenerateRequest request)
    {
        await using Stream stream = new(_silo.Session(), request);
        Task<FinishFacts> reading = TestSilo.ReadAll(stream);
        FakeGeneration generation = await _silo.Submitted();
        generation.Complete();
        await reading.WaitAsync(Guard);
        return generation;
    }
}
