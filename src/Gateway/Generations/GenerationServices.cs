using Concertina.Gateway.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Concertina.Gateway.Generations;

/// <summary>What every generation needs of its surroundings.</summary>
internal sealed record GenerationServices(
    GatewayCalls Calls, GatewayMetrics Metrics, DrainState Drain, TimeProvider Time, ILogger<Generation> Logger, IOptions<GatewayOptions> Options)
{
    /// <summary>Silence after which a step says so.</summary>
    public TimeSpan KeepAlive { get; } = TimeSpan.FromSeconds(Options.Value.KeepAliveSeconds);
}
