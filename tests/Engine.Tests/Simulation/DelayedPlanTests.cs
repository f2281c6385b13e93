namespace Concertina.Engine.Tests.Simulation;

/// <summary>
/// Beside <see cref="Laws.PressureSimulationTests"/>, where everything takes no time: here squeezing takes slices, a better rung
/// takes a second copy, assignments arrive late and are refused when stale, sessions come back with tighter floors, and budgets
/// change. The workers assert at every tick that no floor is broken, that neither commitments nor bytes exceed the budget,
/// and that each promise could be kept.
/// </summary>
public sealed class DelayedPlanTests(ITestOutputHelper output)
{
    private const int Seed = 20_261_127;

    [Fact]
    public void With_late_plans_and_slow_moves_every_law_holds_and_the_plan_beats_a_common_rung_by_a_quarter()
    {
        SimCluster cluster = new(Seed);

        cluster.Run(150_000);

        SimFigures figures = cluster.Figures;
        output.WriteLine(figures.ToString());
        Assert.True(figures.Finished > 140_000, figures.ToString());
        // Somebody always moves, and nobody waits for memory for long.
        Assert.InRange(figures.LongestStandstill, 0, 2);
        Assert.InRange(figures.LongestWait, 0, 40);
        Assert.True(figures.Distortion <= 0.75 * figures.CommonRungDistortion && figures.HeldDistortion < figures.CommonRungDistortion, figures.ToString());
        // It was a run in which all of this happened.
        Assert.True(figures.SilentTicks > 500 && figures.Reflexes > 1_000 && figures.StaleAssignments > 1_000, figures.ToString());
        Assert.True(figures.Undone > 1_000 && figures.Resizes > 10 && figures.Refused < 15_000 && figures.Compared > 500, figures.ToString());
    }

    [Fact]
    public void With_a_plan_that_never_answers_the_reflex_alone_keeps_every_law()
    {
        SimCluster cluster = new(Seed + 1);

        cluster.Run(30_000, planned: false);

        Assert.True(cluster.Figures.Finished > 20_000, cluster.Figures.ToString());
        Assert.InRange(cluster.Figures.LongestStandstill, 0, 2);
    }
}
