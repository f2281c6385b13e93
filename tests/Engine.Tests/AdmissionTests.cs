using Concertina.Compute.Engine;
using Concertina.Engine.Tests.Kit;

namespace Concertina.Engine.Tests;

public sealed class AdmissionTests
{
    [Fact]
    public async Task A_request_whose_wait_ran_out_during_a_long_step_is_admitted_if_there_is_room()
    {
        await using EngineBench bench = new(new EngineOptions { QueueWaitSeconds = 0.1 });
        int[] prompt = EngineBench.Prompt(70, seed: 5);
        TokenStream stream = bench.Submit(prompt, 5);
        bench.Time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(HashModel.Greedy(prompt, 5), bench.Finish(stream));
    }

    [Fact]
    public async Task A_prompt_beyond_the_context_is_refused_with_the_numbers()
    {
        await using EngineBench bench = new();

        EngineRefusal refusal = EngineBench.TrySubmit(bench.Open(), bench.Spec(EngineBench.Prompt(640, seed: 1))).Refusal!;

        Assert.Equal((RefusalKind.ContextLength, (int?)null), (refusal.Kind, refusal.RetryAfterMs));
        Assert.Contains("maximum context length is 640 tokens", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("640 tokens, and", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_commitment_that_can_never_fit_is_refused_with_the_bytes()
    {
        await using EngineBench bench = new(columns: 4);

        EngineRefusal refusal = EngineBench.TrySubmit(bench.Open(), bench.Spec(EngineBench.Prompt(200, seed: 1), 400)).Refusal!;

        Assert.Equal(RefusalKind.NeverFits, refusal.Kind);
        Assert.Equal(bench.Cache.CommitmentBytes(600), refusal.NeededBytes);
        Assert.Equal(bench.Cache.CommittableBytes, refusal.AvailableBytes);
        Assert.True(refusal.NeededBytes > refusal.AvailableBytes);
    }

    public static TheoryData<GenerationSpec> MalformedSpecs
    {
        get
        {
            GenerationSpec good = new() { RequestId = "r", Prompt = new[] { 1 } };
            SamplingSpec sampling = new(1, 0, 1, 0, 0);
            return
            [
                good with { Prompt = Array.Empty<int>() },
                good with { Prompt = new[] { 1, 256 } },
                good with { Prompt = new[] { -1 } },
                good with { StopTokens = new[] { 256 } },
                good with { MaxNewTokens = 0 },
                good with { Weight = 0 },
                good with { Weight = double.NaN },
                good with { RequestId = "" },
                good with { Sampling = sampling with { Temperature = -1 } },
                good with { Sampling = sampling with { Temperature = float.NaN } },
                good with { Sampling = sampling with { Temperature = float.PositiveInfinity } },
                good with { Sampling = sampling with { TopK = -1 } },
                good with { Sampling = sampling with { TopP = 0 } },
                good with { Sampling = sampling with { TopP = 1.01f } },
                good with { Sampling = sampling with { TopP = float.NaN } },
                good with { Sampling = sampling with { MinP = -0.1f } },
                good with { Sampling = sampling with { MinP = float.NaN } },
            ];
        }
    }

    [Theory(DisableDiscoveryEnumeration = true)]
    [MemberData(nameof(MalformedSpecs))]
    public async Task A_malformed_request_is_refused_and_counted(GenerationSpec spec)
    {
        await using EngineBench bench = new();

        EngineRefusal refusal = EngineBench.TrySubmit(bench.Open(), spec).Refusal!;

        Assert.Equal(RefusalKind.Invalid, refusal.Kind);
        Assert.Equal(1, bench.Engine.Snapshot.Refused[(int)RefusalKind.Invalid]);
    }

    [Fact]
    public async Task A_full_queue_refuses_with_a_retry_time_and_counts_nothing_twice()
    {
        await using EngineBench bench = new(new EngineOptions { MaxRunning = 1, QueueLimit = 2 });
        List<TokenStream> streams = [bench.Submit([1], 5)];
        bench.Step();
        streams.Add(bench.Submit([2], 5));
        streams.Add(bench.Submit([3], 5));

        EngineRefusal refusal = EngineBench.TrySubmit(bench.Open(), bench.Spec([4])).Refusal!;

        Assert.Equal(RefusalKind.QueueFull, refusal.Kind);
        Assert.True(refusal.RetryAfterMs >= 100);
        Assert.Equal(2, bench.Engine.Snapshot.Queued);
        streams.ForEach(stream => bench.Finish(stream));
        Assert.Equal(0, bench.Engine.Snapshot.Queued);
        bench.Finish(bench.Submit([4], 5));
    }

    [Fact]
    public async Task A_request_that_waits_too_long_is_refused_after_all()
    {
        await using EngineBench bench = new(new EngineOptions { MaxRunning = 1, QueueWaitSeconds = 5 });
        TokenStream running = bench.Submit([1], 600);
        bench.Step();
        TokenStream queued = bench.Submit([2], 5);
        bench.Step();

        bench.Time.Advance(TimeSpan.FromSeconds(5.1));
        bench.Step();

        Assert.Equal(("admission/queue-timeout", RefusalKind.QueueFull), (queued.End!.ErrorCode, queued.End.Refusal!.Kind));
        Assert.Equal(0, queued.End.GeneratedTokens);
        running.Cancel();
    }

    [Fact]
    public async Task Draining_refuses_new_work_and_finishes_what_was_accepted()
    {
        await using EngineBench bench = new(new EngineOptions { MaxRunning = 1 });
        TokenStream running = bench.Submit([1], 5);
        TokenStream queued = bench.Submit([2], 5);
        bench.Step();

        bench.Engine.Drain();

        Assert.Equal(RefusalKind.Draining, EngineBench.TrySubmit(bench.Open(), bench.Spec([3])).Refusal!.Kind);
        Assert.Equal(5, bench.Finish(running).Length);
        Assert.Equal(5, bench.Finish(queued).Length);
        Assert.True(bench.Engine.Snapshot.Draining);
    }

    [Fact]
    public async Task A_huge_request_is_passed_over_only_so_often_and_then_runs()
    {
        await using EngineBench bench = new(columns: 12);
        TokenStream running = bench.Submit(EngineBench.Prompt(64, seed: 1), 250); // 5 columns
        bench.Step();
        TokenStream huge = EngineBench.Submit(bench.Open(session: "huge"), bench.Spec(EngineBench.Prompt(600, seed: 2), 30)); // 10 columns: has to wait
        List<TokenStream> small = [];
        int passed = 0;

        for (int i = 0; i < 400 && huge.End is null; i++)
        {
            EngineBench.Read(running);
            small.Add(bench.Submit([i % 256], 2));
            bench.Step();
            if (!bench.Engine.Sequences().Any(sequence => sequence.Key == "tenant/huge"))
            {
                passed = small.Count(stream => stream.End is not null);
            }
        }

        Assert.Equal(FinishKind.Length, huge.End!.Kind);
        Assert.InRange(passed, 25, 34); // 32 small ones went first in its turn, then none
        small.ForEach(stream => bench.Finish(stream));
    }

    [Fact]
    public async Task Idle_hours_do_not_lengthen_the_retry_estimate()
    {
        await using EngineBench bench = new(new EngineOptions { MaxRunning = 1, QueueLimit = 4 });
        bench.Finish(bench.Submit([1], 1));
        bench.Time.Advance(TimeSpan.FromHours(10));
        TokenStream[] streams = [.. Enumerable.Range(0, 4).Select(i => bench.Submit([1 + i], 1))];
        foreach (TokenStream stream in streams[..2])
        {
            bench.Step();
            bench.Time.Advance(TimeSpan.FromMilliseconds(300));
            bench.Finish(stream);
        }
        while (EngineBench.TrySubmit(bench.Open(session: "more"), bench.Spec([9], 1)).Refusal is null)
        {
        }

        EngineRefusal? refusal = EngineBench.TrySubmit(bench.Open(session: "last"), bench.Spec([9], 1)).Refusal;

        Assert.Equal(RefusalKind.QueueFull, refusal!.Kind);
        Assert.InRange(refusal.RetryAfterMs!.Value, 100, 400);
    }
}
