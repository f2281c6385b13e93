namespace Concertina.Silo.Models;

/// <summary>Where the loading of a model is; for people who watch it.</summary>
public enum LoadStage
{
    /// <summary>The file is opened and checked.</summary>
    Reading,

    /// <summary>Weights are packed for this processor.</summary>
    Weights,

    /// <summary>A dry run, so that the first request finds compiled kernels.</summary>
    WarmingUp,

    /// <summary>Requests are served.</summary>
    Ready,
}
