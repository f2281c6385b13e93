namespace Concertina.Compute.Engine.Scheduling;

/// <summary>Where a run is; it only moves forward.</summary>
internal enum RunState
{
    Queued,
    Running,
    Ended,
}
