using Concertina.Gateway.Models;
using Concertina.Grains.Workers;

namespace Concertina.Cli.Serving;

/// <summary>The gateway of this process serves the model of this process's worker.</summary>
internal sealed class SiloModels(LocalWorker worker) : IModelDirectory
{
    /// <inheritdoc/>
    public IReadOnlyCollection<string> Names { get; } = [worker.Model];
}
