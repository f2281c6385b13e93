namespace Concertina.Runtime.Tests.Conformance;

internal static class Waiting
{
    /// <summary>Opens the gate a call waits at and waits for the call: whatever was before it in the grain has then ended.</summary>
    internal static async Task WaitAfterOpening(this Task call, ITestCluster cluster, string gate)
    {
        cluster.Probe.Open(gate);
        await call;
    }
}
