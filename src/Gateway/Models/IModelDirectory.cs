namespace Concertina.Gateway.Models;

/// <summary>Names of the models to serve. The default reads <see cref="GatewayOptions.Models"/>; a host with a silo in the same process registers its own.</summary>
public interface IModelDirectory
{
    /// <summary>Served model names now; may grow and shrink.</summary>
    IReadOnlyCollection<string> Names { get; }
}
