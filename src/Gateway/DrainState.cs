using Concertina.Gateway.Telemetry;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Concertina.Gateway;

/// <summary>
/// Whether this gateway still takes work. It begins to drain when the host stops, or earlier when told to: a load balancer
/// that watches <c>/readyz</c> needs a moment before the listener closes.
/// </summary>
public sealed class DrainState : IDisposable
{
    private readonly CancellationTokenSource _deadline = new();
    private readonly TimeProvider _time;
    private readonly ILogger<DrainState> _logger;
    private readonly TimeSpan _grace;
    private readonly CancellationTokenRegistration _stopping;
    private ITimer? _timer;
    private int _draining;

    /// <summary>Watches the host.</summary>
    public DrainState(IHostApplicationLifetime lifetime, IOptions<GatewayOptions> options, TimeProvider time, ILogger<DrainState> logger)
    {
        ArgumentNullException.ThrowIfNull(lifetime);
        ArgumentNullException.ThrowIfNull(options);
        (_time, _logger) = (time, logger);
        _grace = TimeSpan.FromSeconds(options.Value.DrainSeconds);
        _stopping = lifetime.ApplicationStopping.Register(Begin);
    }

    /// <summary>True once draining began.</summary>
    public bool IsDraining => Volatile.Read(ref _draining) != 0;

    /// <summary>Cancelled when running streams shall end with an error event.</summary>
    public CancellationToken Deadline => _deadline.Token;

    /// <summary>Refuses new work from now on; running streams have <see cref="GatewayOptions.DrainSeconds"/>. Idempotent.</summary>
    public void Begin()
    {
        if (Interlocked.Exchange(ref _draining, 1) != 0)
        {
            return;
        }
        _logger.Draining(_grace.TotalSeconds);
        _timer = _time.CreateTimer(_ => _deadline.Cancel(), null, _grace, Timeout.InfiniteTimeSpan);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stopping.Dispose();
        _timer?.Dispose();
        _deadline.Dispose();
    }
}
