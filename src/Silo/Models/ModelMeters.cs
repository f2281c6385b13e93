using System.Diagnostics.Metrics;

namespace Concertina.Silo.Models;

/// <summary>Tags every meter made through it with the served model, so that dashboards can choose by it. The host's factory owns the meters.</summary>
internal sealed class ModelMeters(IMeterFactory meters, string model) : IMeterFactory
{
    /// <inheritdoc/>
    public Meter Create(MeterOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Scope = null; // the factory below names itself as the scope, and refuses another
        options.Tags = [.. options.Tags ?? [], new KeyValuePair<string, object?>("model", model)];
        return meters.Create(options);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
