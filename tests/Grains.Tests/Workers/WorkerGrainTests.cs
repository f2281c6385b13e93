using Concertina.Compute.Allocation;
using Concertina.Compute.Engine;
using Concertina.Contracts.Budget;
using Concertina.Contracts.Sessions;
using Concertina.Contracts.Tenants;
using Concertina.Contracts.Workers;
using Concertina.Grains.Tests.Fakes;
using Orleans.Runtime;
using Orleans.Runtime.Placement;
using FakeWorkers = Concertina.Grains.Tests.Fakes.Workers;

namespace Concertina.Grains.Tests.Workers;

public sealed class WorkerGrainTests : IAsyncLifetime
{
    private TestSilo _silo = null!;

    private IWorkerGrain Worker => _silo.Grains.GetGrain<IWorkerGrain>(FakeWorkers.Key);

    private IMemoryBudgetGrain Budget => _silo.Grains.GetGrain<IMemoryBudgetGrain>(FakeWorkers.Model);

    public async ValueTask InitializeAsync() => _silo = await TestSilo.Start();

    public ValueTask DisposeAsync() => _silo.DisposeAsync();

    [Fact]
    public async Task The_tokenizer_travels_in_parts_that_fit_a_message()
    {
        using MemoryStream bytes = new();
        byte[] part;
        while ((part = await Worker.TokenizerPart("model-hash", (int)bytes.Length)).Length > 0)
        {
            Assert.InRange(part.Length, 1, TokenPacking.MaxMessageBytes);
            bytes.Write(part);
        }
        Assert.Equal(FakeWorkers.TokenizerBytes, bytes.ToArray());
        await Assert.ThrowsAsync<ArgumentException>(() => Worker.TokenizerPart("other-hash", 0));
    }

    [Fact]
    public async Task A_worker_reports_by_itself_and_routing_finds_it()
    {
        await Worker.Load();
        RouteAnswer answer = await Routed();
        Assert.Equal((FakeWorkers.Key, _silo.Worker.Epoch), (answer.Worker!, answer.Epoch));
    }

    [Fact]
    public async Task Tenants_are_charged_for_what_they_hold_once_and_over_restarts()
    {
        await Worker.Load();
        await Hold(1_000, charged: 1_000);
        await Hold(1_000, charged: 1_000);
        await Hold(2_500, charged: 2_500);
        Assert.Equal(0, await Charged("~warm-up"));
        _silo.Time.Advance(TimeSpan.FromSeconds(1)); // until it is written

        await _silo.Restart();
        await Worker.Load();
        await Hold(300, charged: 2_800);
    }

    // A charge takes some turns of two grains after the timer's tick, and the timer starts anew after them.
    private async Task Hold(double byteSeconds, double charged)
    {
        const int mostTicks = 2_000;
        _silo.Engine.Held = [new TenantKv("t", 1, byteSeconds), new TenantKv("~warm-up", 0, byteSeconds)];
        for (int tick = 0; tick == 0 || (tick < mostTicks && await Charged("t") != charged); tick++)
        {
            _silo.Time.Advance(TimeSpan.FromSeconds(5));
            await Worker.Load();
        }
        Assert.Equal(charged, await Charged("t"));
    }

    private async Task<double> Charged(string tenant) => (await _silo.Grains.GetGrain<ITenantGrain>(tenant).Usage()).KvByteSeconds;

    [Fact]
    public async Task The_silo_of_a_route_is_a_hint_that_placement_understands()
    {
        await Worker.Load();
        SiloAddress hinted = SiloAddress.FromParsableString((await Routed()).Silo!);
        SiloAddress[] silos = [_silo.Address];
        Assert.Equal(_silo.Address, IPlacementDirector.GetPlacementHint(new Dictionary<string, object> { [IPlacementDirector.PlacementHintKey] = hinted }, silos));
    }

    [Fact]
    public async Task Each_start_of_the_process_raises_the_epoch()
    {
        await Worker.Load();
        long before = _silo.Worker.Epoch;
        await _silo.Restart();
        await Worker.Load();
        Assert.True(_silo.Worker.Epoch > before);
    }

    [Fact]
    public async Task Assignments_are_answered_with_the_workers_own_epoch_whatever_theirs_is()
    {
        await Worker.Load();
        long epoch = _silo.Worker.Epoch;
        RungAssignment[] assignments = [new("t/s", "f16")];
        Assert.Equal(epoch, await Worker.Assign(new RungAssignments(epoch, assignments)));
        Assert.Equal(epoch, await Worker.Assign(new RungAssignments(epoch, assignments)));
        _silo.Worker.RaiseEpoch();
        Assert.Equal(epoch + 1, await Worker.Assign(new RungAssignments(epoch, assignments)));
    }

    [Fact]
    public async Task Assignments_of_this_epoch_reach_the_engine_and_unknown_ones_do_not_stop_the_others()
    {
        await Worker.Load();
        await _silo.Turn("one", [1, 2], [3]);
        long epoch = _silo.Worker.Epoch;

        await Worker.Assign(new RungAssignments(epoch, [new("t/gone", "int4"), new("t/s", "int99"), new("t/s", "int4")]));
        await Worker.Assign(new RungAssignments(epoch - 1, [new("t/s", "f16")]));

        Assert.Equal(("t/s", "int4"), Assert.Single(_silo.Engine.Assigned));
    }

    [Fact]
    public async Task A_session_that_does_not_fit_is_squeezed_by_the_plan_and_let_out_when_it_fits_again()
    {
        PlanRung lossless = new() { Name = "f16", BytesPerToken = 4096, Distortion = 0 };
        _silo.Engine.Curve = new PlanLadder([lossless, lossless with { Name = "int4", BytesPerToken = 1205, Distortion = 0.004 }], 0, new PlanOptions());
        _silo.Engine.BudgetBytes = (1 << 20) + 100_000;
        await Worker.Load();
        await _silo.Turn("one", [.. Enumerable.Range(1, 40)], [3]);

        await Assigned(1);
        _silo.Engine.BudgetBytes = 1 << 30;
        await Assigned(2);

        Assert.Equal([("t/s", "int4"), ("t/s", "f16")], _silo.Engine.Assigned);
    }

    [Fact]
    public async Task A_budget_is_changed_in_the_engine_and_one_it_cannot_have_is_refused_with_the_bytes()
    {
        _silo.Engine.LeastBudgetBytes = 5_000;

        BudgetChange taken = await Worker.ChangeBudget(6_000);
        BudgetChange refused = await Worker.ChangeBudget(4_999);

        Assert.Equal((null, 6_000, "None"), (taken.Refusal, taken.TargetBytes, taken.Hold));
        Assert.Equal((6_000, 5_000L), (refused.TargetBytes, refused.LeastBytes));
        Assert.Contains("4,999", refused.Refusal, StringComparison.Ordinal);
        Assert.Contains("5,000", refused.Refusal, StringComparison.Ordinal);
        Assert.Equal([1 << 30, 6_000], _silo.Engine.Budgets);
    }

    [Fact]
    public async Task Memory_says_for_each_rung_its_bytes_who_is_there_and_who_is_planned_there()
    {
        await _silo.Turn("one", [.. Enumerable.Range(1, 40)], [3]);
        _silo.Engine.TheHandle.MoveTo("int4");

        WorkerMemory memory = await Worker.Memory();

        Assert.Equal([new RungMemory("f16", 0, 0, 0), new RungMemory("int4", 100, 1, 1)], memory.Rungs);
        Assert.Equal(_silo.Engine.BudgetBytes, memory.Budget!.TargetBytes);
    }

    [Fact]
    public async Task A_draining_or_stalled_worker_gets_no_new_work()
    {
        await Worker.Load();
        await Routed();
        await Worker.Drain();
        Assert.False((await Worker.Load()).Accepting);
        RouteAnswer answer = await Budget.Route(Request());
        while (answer.Refusal is null)
        {
            _silo.Time.Advance(TimeSpan.FromMilliseconds(250));
            answer = await Budget.Route(Request());
        }
        Assert.Equal(RefusalReason.Unavailable, answer.Refusal.Reason);
    }

    [Fact]
    public async Task A_stalled_engine_is_named_with_its_stage()
    {
        _silo.Engine.StalledStage = "forward";
        WorkerLoad load = await Worker.Load();
        Assert.Equal((false, "forward"), (load.Accepting, load.StalledStage));
    }

    private static RouteRequest Request() => new() { TenantId = "t", SequenceKey = "t/s", PromptTokens = 10 };

    private async Task Assigned(int count)
    {
        while (_silo.Engine.Assigned.Count < count)
        {
            _silo.Time.Advance(TimeSpan.FromMilliseconds(250));
            // The clock must not run ahead of the reports: an idle session would be collected.
            for (int call = 0; call < 200 && _silo.Engine.Assigned.Count < count; call++)
            {
                await Worker.Load();
            }
        }
    }

    /// <summary>The first route that is not refused; the clock moves so that reports are due.</summary>
    private async Task<RouteAnswer> Routed()
    {
        RouteAnswer answer;
        while ((answer = await Budget.Route(Request())).Worker is null)
        {
            _silo.Time.Advance(TimeSpan.FromMilliseconds(250));
        }
        return answer;
    }
}
