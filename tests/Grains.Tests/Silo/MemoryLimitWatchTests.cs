using Concertina.Grains.Tests.Fakes;
using Concertina.Silo.Memory;
using Concertina.Silo.Options;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Concertina.Grains.Tests.Silo;

public sealed class MemoryLimitWatchTests : IAsyncDisposable
{
    private const long GiB = 1L << 30;
    private const long MiB = 1L << 20;
    private readonly FakeEngine _engine = new();
    private readonly FakeTimeProvider _time = new();
    private MemoryReading _reading = new(4 * GiB, 2 * GiB);
    private int _looks;

    public ValueTask DisposeAsync() => _engine.DisposeAsync();

    [Fact]
    public async Task A_limit_that_shrinks_takes_from_the_budget_what_nothing_else_leaves_and_one_that_grows_gives_it_back()
    {
        using MemoryLimitWatch watch = Watch();
        await watch.Look();
        await watch.Look();
        Assert.Equal([GiB], _engine.Budgets); // nothing changed yet

        // 400 MiB are left beside what is held, which is nothing here, and 5 % of 1,000 MiB stay free.
        _reading = new(1000 * MiB, 400 * MiB);
        await watch.Look();
        Assert.Equal([GiB, 350 * MiB], _engine.Budgets);
        await watch.Look();
        Assert.Equal(2, _engine.Budgets.Count);

        _reading = new(null, 64 * GiB);
        await watch.Look();
        Assert.Equal([GiB, 350 * MiB, GiB], _engine.Budgets);
    }

    [Fact]
    public async Task A_limit_that_leaves_room_enough_changes_nothing()
    {
        using MemoryLimitWatch watch = Watch();
        await watch.Look();
        _reading = new(3 * GiB, 2 * GiB);
        await watch.Look();

        Assert.Equal([GiB], _engine.Budgets);
    }

    [Fact]
    public async Task A_budget_that_somebody_chose_in_between_is_the_most_afterwards()
    {
        using MemoryLimitWatch watch = Watch();
        await watch.Look();
        _reading = new(1000 * MiB, 400 * MiB);
        await watch.Look();
        await _engine.ChangeBudgetAsync(200 * MiB);
        _reading = new(null, 64 * GiB);
        await watch.Look();

        Assert.Equal(200 * MiB, _engine.Budgets[^1]);
    }

    [Fact]
    public async Task A_limit_too_small_for_any_cache_leaves_it_as_it_is()
    {
        _engine.LeastBudgetBytes = 100 * MiB;
        using MemoryLimitWatch watch = Watch();
        await watch.Look();
        _reading = new(100 * MiB, 10 * MiB);
        await watch.Look();

        Assert.Equal([GiB], _engine.Budgets);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task It_looks_once_a_second_unless_it_is_turned_off(bool on)
    {
        using MemoryLimitWatch watch = Watch(on);
        DateTimeOffset start = _time.GetUtcNow();
        await watch.StartAsync(CancellationToken.None);
        for (int second = 1; second <= 3; second++)
        {
            // In small steps: it may look before it waits.
            while (on && Volatile.Read(ref _looks) < second)
            {
                await Task.Yield();
                _time.Advance(TimeSpan.FromMilliseconds(100));
            }
            Assert.InRange(Volatile.Read(ref _looks), on ? second : 0, on ? 1 + (_time.GetUtcNow() - start).TotalSeconds : 0);
        }
        await watch.StopAsync(CancellationToken.None);
    }

    private MemoryLimitWatch Watch(bool on = true) => new(
        Fakes.Workers.Serving(_engine), Options.Create(new SiloOptions { WatchMemoryLimit = on }), Read, _time, NullLogger<MemoryLimitWatch>.Instance);

    private MemoryReading Read()
    {
        Interlocked.Increment(ref _looks);
        return _reading;
    }
}
