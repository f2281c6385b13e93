namespace Concertina.Engine.Tests.Laws;

/// <summary>A million sessions under changing budgets and silent budget grains.</summary>
public sealed class PressureSimulationTests(ITestOutputHelper output)
{
    private const int Seed = 20_261_126;
    private const int Sessions = 1_000_000;

    [Fact]
    public void Floors_promises_and_budgets_hold_for_a_million_sessions_and_the_plan_beats_a_common_rung_by_a_quarter()
    {
        SimulatedWorker worker = new(Seed);

        while (worker.Arrived < Sessions)
        {
            worker.Tick();
        }

        output.WriteLine(
            $"{worker.Arrived:N0} arrived, {worker.Finished:N0} finished, {worker.TurnedAway:N0} turned away, {worker.SilentTicks:N0} silent ticks; " +
            $"{worker.Distortion / worker.CommonDistortion:P1} of the distortion of a common rung.");
        Assert.InRange(worker.SilentTicks, 10_000, int.MaxValue);
        Assert.InRange(worker.Finished, Sessions / 2, Sessions);
        Assert.InRange(worker.TurnedAway, 1, Sessions);
        Assert.InRange(worker.Distortion, 0, 0.75 * worker.CommonDistortion);
    }
}
