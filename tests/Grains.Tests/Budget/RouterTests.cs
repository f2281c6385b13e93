using Concertina.Contracts.Budget;
using Concertina.Contracts.Sessions;
using Concertina.Contracts.Workers;
using Concertina.Grains.Budget;
using Microsoft.Extensions.Time.Testing;

namespace Concertina.Grains.Tests.Budget;

public sealed class RouterTests
{
    private readonly WorkerTable _table = new(new FakeTimeProvider());
    private readonly Router _router;
    private long _sequence;

    public RouterTests() => _router = new Router(_table);

    [Fact]
    public void Home_beats_prefix_beats_pressure()
    {
        Report(Reports.Load("home/0", committedBytes: 900 << 20), "t/s");
        Report(Reports.Load("prefix/0", committedBytes: 0));
        Report(Reports.Load("idle/0", committedBytes: 0));
        // The first prompt goes to the least pressed worker and leaves its prefix there; then that worker is the busiest.
        Report(Reports.Load("idle/0", committedBytes: 500 << 20));
        Assert.Equal("prefix/0", _router.Route(Reports.Route("t/other", prefix: [1, 2, 3])).Worker);
        Report(Reports.Load("prefix/0", committedBytes: 800 << 20));

        Assert.Equal("prefix/0", _router.Route(Reports.Route("t/x", prefix: [1, 2, 9])).Worker);
        Assert.Equal("idle/0", _router.Route(Reports.Route("t/x", prefix: [8, 7])).Worker);
        Assert.Equal("home/0", _router.Route(Reports.Route("t/s", prefix: [1, 2, 3])).Worker);
    }

    [Fact]
    public void The_answer_names_silo_and_epoch()
    {
        Report(Reports.Load("silo-a/0", epoch: 42) with { Silo = "10.0.0.1:1@7" });
        RouteAnswer answer = _router.Route(Reports.Route());
        Assert.Equal(("silo-a/0", "10.0.0.1:1@7", 42L), (answer.Worker!, answer.Silo!, answer.Epoch));
        Assert.Null(answer.Refusal);
    }

    [Fact]
    public void A_prefix_of_an_earlier_life_of_a_worker_is_not_believed()
    {
        Report(Reports.Load("a/0", epoch: 1L << 32));
        _router.Route(Reports.Route(prefix: [1, 2]));
        Report(Reports.Load("b/0"));
        // A reflex of the same life changes nothing.
        Report(Reports.Load("a/0", epoch: (1L << 32) + 3, committedBytes: 800 << 20));
        Assert.Equal("a/0", _router.Route(Reports.Route("t/w", prefix: [1, 2])).Worker);
        Report(Reports.Load("a/0", epoch: 2L << 32, committedBytes: 900 << 20));
        Assert.Equal("b/0", _router.Route(Reports.Route("t/x", prefix: [1, 2])).Worker);
    }

    [Fact]
    public void Without_workers_or_with_none_that_accepts_the_answer_is_unavailable()
    {
        Assert.Equal(RefusalReason.Unavailable, _router.Route(Reports.Route()).Refusal?.Reason);
        Report(Reports.Load("a/0", accepting: false));
        RouteAnswer answer = _router.Route(Reports.Route());
        Assert.Equal(RefusalReason.Unavailable, answer.Refusal?.Reason);
        Assert.NotNull(answer.Refusal?.RetryAfterMs);
        Assert.Null(answer.Worker);
    }

    [Fact]
    public void What_can_never_fit_is_refused_with_the_bytes_and_without_a_retry()
    {
        Report(Reports.Load("a/0") with { BudgetBytes = 4 << 20, TranscodeReserveBytes = 1 << 20 });

        // 12 columns of 256 KiB are 3 MiB, all that the worker can give.
        Assert.Null(_router.Route(Reports.Route(promptTokens: (12 * 64) - 1)).Refusal);
        Refusal refusal = _router.Route(Reports.Route(promptTokens: 12 * 64)).Refusal!;

        Assert.Equal(RefusalReason.NeverFits, refusal.Reason);
        Assert.Equal(13L * (256 << 10), refusal.NeededBytes);
        Assert.Equal(3L << 20, refusal.AvailableBytes);
        Assert.Null(refusal.RetryAfterMs);
    }

    [Fact]
    public void New_tokens_count_up_to_the_context_and_no_further()
    {
        Report(Reports.Load("a/0") with { BudgetBytes = (128 * (256 << 10)) + (1 << 20), TranscodeReserveBytes = 1 << 20 });
        Assert.Null(_router.Route(Reports.Route(promptTokens: 100, maxNewTokens: int.MaxValue)).Refusal);
    }

    [Fact]
    public void Full_queues_everywhere_refuse_and_one_open_queue_takes()
    {
        Report(Reports.Load("a/0", queued: 4));
        Report(Reports.Load("b/0", queued: 4));
        Assert.Equal(RefusalReason.QueueFull, _router.Route(Reports.Route()).Refusal?.Reason);
        Report(Reports.Load("b/0", queued: 3));
        Assert.Equal("b/0", _router.Route(Reports.Route()).Worker);
    }

    [Fact]
    public void A_home_that_drains_does_not_hold_its_session_back()
    {
        Report(Reports.Load("home/0", accepting: false), "t/s");
        Report(Reports.Load("b/0"));
        Assert.Equal("b/0", _router.Route(Reports.Route("t/s")).Worker);
    }

    [Fact]
    public void Remembered_prefixes_are_bounded_and_the_oldest_go_first()
    {
        PrefixHomes homes = new(capacity: 100);
        for (ulong hash = 0; hash < 1_000; hash++)
        {
            homes.Add([hash], "a/0", 1);
        }
        Assert.Null(homes.Longest([899], (_, _) => true));
        Assert.Equal(("a/0", 1), homes.Longest([900], (_, _) => true));
    }

    private void Report(WorkerLoad load, params string[] sessions) => _table.Take(Reports.Full(load, ++_sequence, sessions));
}
