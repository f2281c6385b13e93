using Concertina.Compute.Engine;
using Concertina.Compute.KvCache;
using Concertina.Compute.KvCache.Codecs;
using Concertina.Compute.KvCache.Codecs.F16;
using Concertina.Compute.KvCache.Rungs;
using Concertina.Engine.Tests.Kit;

namespace Concertina.Engine.Tests;

/// <summary>Memory pressure on live sessions: the codec of the ladder loses nothing that the model reads, so every token must be right.</summary>
public sealed class ElasticTests
{
    private const int PromptTokens = 1900;
    private const int Context = 2048;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task At_three_times_the_budget_every_stream_runs_at_once_and_ends_with_all_its_tokens(int seed)
    {
        // 12 sessions of 31 columns; 124 columns of 16 bit may be promised.
        await using EngineBench bench = new(new EngineOptions { StepTokens = 64 }, columns: 124, Context, Parts());
        int[][] prompts = [.. Enumerable.Range(0, 12).Select(session => EngineBench.Prompt(PromptTokens, (100 * seed) + session))];
        TokenStream[] streams = [.. prompts.Select((prompt, session) =>
            EngineBench.Submit(bench.Open($"t{session % 3}", $"s{session}"), Elastic(bench.Spec(prompt, 60), "pair1")))];

        int most = 0;
        List<int>[] read = [.. streams.Select(_ => new List<int>())];
        for (int step = 0; streams.Any(stream => stream.End is null); step++)
        {
            Assert.True(step < 5000, $"Nobody moves: {bench.Engine.Snapshot}");
            bench.Step();
            most = Math.Max(most, bench.Engine.Snapshot.Running);
            for (int session = 0; session < streams.Length; session++)
            {
                read[session].AddRange(EngineBench.Read(streams[session]));
            }
        }

        Assert.Equal(12, most);
        Assert.All(streams, stream => Assert.Equal(FinishKind.Length, stream.End!.Kind));
        Assert.All(prompts.Zip(read), pair => Assert.Equal(HashModel.Greedy(pair.First, 60), pair.Second));
        Assert.True(bench.Engine.Snapshot.TranscodedUnits > 0);
    }

    [Fact]
    public async Task Streams_that_are_squeezed_and_still_grow_are_squeezed_again()
    {
        EngineOptions options = new() { StepTokens = 64, HighWatermark = 0.5, LowWatermark = 0.45 };
        await using EngineBench bench = new(options, columns: 44, Context, Parts());
        TokenStream[] streams = [.. Enumerable.Range(0, 2).Select(session =>
            EngineBench.Submit(bench.Open(session: $"s{session}"), Elastic(bench.Spec(EngineBench.Prompt(800, session), 1000), "pair1")))];

        for (int step = 0; streams.Any(stream => stream.End is null); step++)
        {
            Assert.True(step < 5000, $"Nobody moves: {bench.Engine.Snapshot}");
            bench.Step();
            Array.ForEach(streams, stream => EngineBench.Read(stream));
        }

        Assert.All(streams, stream => Assert.Equal((FinishKind.Length, "pair1"), (stream.End!.Kind, stream.End.Rung)));
        Assert.True(bench.Engine.Snapshot.Reflexes > 1, $"{bench.Engine.Snapshot.Reflexes} reflexes");
    }

    [Fact]
    public async Task While_memory_suffices_nobody_is_squeezed()
    {
        await using EngineBench bench = new(new EngineOptions { StepTokens = 64 }, columns: 140, Context, Parts());
        TokenStream[] streams = [.. Enumerable.Range(0, 4).Select(session =>
            EngineBench.Submit(bench.Open(session: $"s{session}"), Elastic(bench.Spec(EngineBench.Prompt(PromptTokens, session), 20), "pair1")))];

        Assert.All(streams, stream => bench.Finish(stream));

        Assert.All(streams, stream => Assert.True(stream.End!.Exact));
        Assert.Equal(0, bench.Engine.Snapshot.TranscodedUnits);
    }

    [Fact]
    public async Task Idle_sessions_are_squeezed_before_running_ones()
    {
        await using EngineBench bench = new(new EngineOptions { StepTokens = 64 }, columns: 75, Context, Parts());
        SequenceHandle[] idle = [.. Enumerable.Range(0, 2).Select(session => bench.Open(session: $"idle{session}"))];
        foreach ((int seed, SequenceHandle handle) in idle.Index())
        {
            bench.Finish(EngineBench.Submit(handle, Elastic(bench.Spec(EngineBench.Prompt(PromptTokens, 20 + seed), 4), "pair1")));
        }
        bench.Cache.DropUnreferenced(long.MaxValue);
        bench.Time.Advance(TimeSpan.FromMinutes(1));

        TokenStream running = EngineBench.Submit(bench.Open(session: "running"), Elastic(bench.Spec(EngineBench.Prompt(PromptTokens, 2), 20), "pair1"));
        bench.Finish(running);
        Assert.True(running.End!.Exact, running.End.Rung);
        Assert.Contains(idle, handle => !handle.Exact);
        Assert.All(idle, handle => Assert.True(handle.WarmTokens > 0));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Of_equal_sessions_those_of_a_lower_priority_are_squeezed_first(int seed)
    {
        await using EngineBench bench = new(new EngineOptions { StepTokens = 64 }, columns: 100, Context, Parts());
        RequestPriority[] priorities = [RequestPriority.High, RequestPriority.Low, RequestPriority.High, RequestPriority.Low];
        new Random(seed).Shuffle(priorities);
        TokenStream[] streams = [.. priorities.Select((priority, session) => EngineBench.Submit(
            bench.Open(session: $"s{session}"),
            Elastic(bench.Spec(EngineBench.Prompt(PromptTokens, session), 60), "pair1") with { Priority = priority }))];

        Assert.All(streams, stream => bench.Finish(stream));

        Assert.Contains(streams.Index(), stream => priorities[stream.Index] == RequestPriority.Low && !stream.Item.End!.Exact);
        Assert.All(streams.Index().Where(stream => priorities[stream.Index] == RequestPriority.High), stream => Assert.True(stream.Item.End!.Exact));
    }

    [Fact]
    public async Task No_session_is_squeezed_below_its_own_floor_whatever_the_pressure()
    {
        await using EngineBench bench = new(new EngineOptions { StepTokens = 64 }, columns: 175, Context, Parts());
        string[] floors = ["f16", "pair", "pair1"];
        TokenStream[] streams = [.. Enumerable.Range(0, 9).Select(session => EngineBench.Submit(
            bench.Open(session: $"s{session}"), Elastic(bench.Spec(EngineBench.Prompt(PromptTokens, session), 40), floors[session % 3])))];

        Assert.All(streams, stream => bench.Finish(stream));

        Assert.All(streams, stream => Assert.Equal(FinishKind.Length, stream.End!.Kind));
        for (int session = 0; session < streams.Length; session++)
        {
            Assert.InRange(Array.IndexOf(floors, streams[session].End!.Rung), 0, session % 3);
        }
        Assert.Contains(streams, stream => stream.End!.Rung == "pair1");
    }

    [Fact]
    public async Task A_slow_codec_is_used_only_when_somebody_waits_for_memory()
    {
        CacheParts parts = Parts() with
        {
            Codecs = new CodecSet(CodecCatalog.All.Append(new PairCodec(14, "pair", CodecId.F16)).Append(new PairCodec(15, "pair1", (CodecId)14) { EncodeWeight = 80 })),
        };
        await using EngineBench bench = new(new EngineOptions { StepTokens = 64, TranscodeSliceBytes = 1 << 20 }, columns: 115, Context, parts);
        TokenStream[] few = [.. Enumerable.Range(0, 4).Select(session => EngineBench.Submit(
            bench.Open(session: $"s{session}"), Elastic(bench.Spec(EngineBench.Prompt(PromptTokens, session), 40), "pair1")))];
        Assert.All(few, stream => bench.Finish(stream));
        Assert.All(few, stream => Assert.NotEqual("pair1", stream.End!.Rung));
    }

    [Fact]
    public async Task A_report_says_where_a_sequence_goes_how_deep_it_may_and_whether_it_may_come_back()
    {
        await using EngineBench bench = new(columns: 140, contextLength: Context, parts: Parts());
        foreach ((string session, KvSpec kv, double weight) in new[]
        {
            ("elastic", new KvSpec { FloorRung = "pair1" }, 2.5), ("economy", new KvSpec { Mode = KvMode.Economy, FloorRung = "pair" }, 1), ("lossless", new KvSpec { Mode = KvMode.Lossless }, 1),
        })
        {
            bench.Finish(EngineBench.Submit(bench.Open(session: session), bench.Spec(EngineBench.Prompt(700, 3), 4) with { Kv = kv, Weight = weight }));
        }

        Dictionary<string, SequenceSnapshot> reports = bench.Engine.Sequences().ToDictionary(report => report.Key);
        Assert.Equal(("f16", "f16", "pair1", true, 2.5), Said(reports["tenant/elastic"]));
        Assert.Equal(("pair", "pair", "pair", false, 1), Said(reports["tenant/economy"]));
        Assert.Equal(("f16", "f16", "f16", true, 1), Said(reports["tenant/lossless"]));

        bench.Engine.Assign("tenant/elastic", "pair1");
        bench.Steps(100);
        Assert.Equal(("pair1", "pair1", "pair1", true, 2.5), Said(bench.Engine.Sequences().Single(report => report.Key == "tenant/elastic")));
        Assert.Equal(["f16", "pair", "pair1"], bench.Engine.Curve!.Rungs.Select(rung => rung.Name));
    }

    private static (string Rung, string Target, string Floor, bool MayRise, double Weight) Said(SequenceSnapshot report) =>
        (report.Rung, report.Target, report.Floor, report.MayRise, report.Weight);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_quick_rung_from_which_the_promised_floor_is_out_of_reach_is_left_out(int seed)
    {
        // Three eighths of the bytes by the quick rung, an eighth by the slow one, which takes 16-bit pages alone.
        CacheParts parts = Parts() with
        {
            Codecs = new CodecSet(CodecCatalog.All.Append(new PairCodec(14, "pair", CodecId.F16)).Append(new PairCodec(15, "pair1") { EncodeWeight = 40 })),
        };
        await using EngineBench bench = new(new EngineOptions { StepTokens = 64, TranscodeSliceBytes = 1 << 22 }, columns: 124, Context, parts);
        int[][] prompts = [.. Enumerable.Range(0, 10).Select(session => EngineBench.Prompt(PromptTokens, (100 * seed) + session))];
        TokenStream[] streams = [.. prompts.Select((prompt, session) =>
            EngineBench.Submit(bench.Open(session: $"s{session}"), Elastic(bench.Spec(prompt, 60), "pair1")))];

        Assert.All(streams, stream => bench.Finish(stream));

        Assert.All(streams, stream => Assert.Equal(FinishKind.Length, stream.End!.Kind));
        Assert.All(streams, stream => Assert.NotEqual("pair", stream.End!.Rung));
    }

    private static GenerationSpec Elastic(GenerationSpec spec, string floor) => spec with { Kv = new KvSpec { FloorRung = floor } };

    private static CacheParts Parts() => new()
    {
        Open = new F16Codec(),
        Codecs = new CodecSet(CodecCatalog.All.Append(new PairCodec(14, "pair", CodecId.F16)).Append(new PairCodec(15, "pair1", (CodecId)14))),
        Rungs = [new Rung("pair", "f16", "pair", 1), new Rung("pair1", "pair1", "pair1", 1)],
    };
}
