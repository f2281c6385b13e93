namespace Concertina.Engine.Tests.Simulation;

/// <summary>
/// Sessions come and go under changing budgets, with a plan that is silent at times. The workers assert at every tick that no
/// floor is broken, that neither commitments nor bytes exceed the budget, and that each promise could be kept now.
/// </summary>
public sealed class SimulationTests
{
    private const int Seed = 20261126;

    [Fact]
    public void A_million_sessions_keep_every_law_and_lose_a_quarter_less_than_on_a_common_rung()
    {
        SimCluster cluster = new(Seed);

        cluster.Run(1_000_000);

        SimFigures figures = cluster.Figures;
        TestContext.Current.TestOutputHelper?.WriteLine(figures.ToString());
        Assert.True(figures.Finished > 900_000, figures.ToString());
        // Somebody always moves, and nobody waits for memory for long.
        Assert.InRange(figures.LongestStandstill, 0, 2);
        Assert.InRange(figures.LongestWait, 0, 40);
        Assert.True(figures.Distortion <= 0.75 * figures.CommonRungDistortion, figures.ToString());
        // It was a run in which all of this happened.
        Assert.True(figures.SilentTicks > 1_000 && figures.Reflexes > 1_000 && figures.StaleAssignments > 1_000, figures.ToString());
        Assert.True(figures.Undone > 1_000 && figures.Resizes > 20 && figures.Refused < 50_000 && figures.Compared > 5_000, figures.ToString());
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
