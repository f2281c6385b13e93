using Microsoft.Extensions.Options;

namespace Concertina.Gateway.Models;

/// <summary>The models that the configuration names.</summary>
internal sealed class ConfiguredModels(IOptions<GatewayOptions> options) : IModelDirectory
{
    /// <inheritdoc/>
    public IReadOnlyCollection<string> Names { get; } = options.Value.Models;
}
