using Orleans;

namespace Concertina.Runtime.Tests.Conformance;

/// <summary>A running cluster as the conformance tests see it: nothing in it belongs to one host.</summary>
public interface ITestCluster : IAsyncDisposable
{
    IGrainFactory Grains { get; }

    Probe Probe { get; }

    /// <summary>Lets time pass.</summary>
    void Advance(TimeSpan time);

    /// <summary>Stops gracefully.</summary>
    Task StopAsync();
}
