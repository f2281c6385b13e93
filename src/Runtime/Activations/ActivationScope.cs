namespace Concertina.Runtime.Activations;

/// <summary>Which activation a service scope belongs to.</summary>
internal sealed class ActivationScope
{
    internal Activation? Activation { get; set; }
}
