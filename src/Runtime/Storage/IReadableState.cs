namespace Concertina.Runtime.Storage;

/// <summary>A state that is read before its grain activates, whatever its type.</summary>
internal interface IReadableState
{
    Task ReadAsync(CancellationToken cancellation);
}
