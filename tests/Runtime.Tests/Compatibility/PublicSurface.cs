using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Concertina.Runtime.Tests.Compatibility;

/// <summary>The public types of an assembly with their public and protected members, as text.</summary>
internal static class PublicSurface
{
    private static readonly MetadataNames Names = new();

    /// <summary>Type name to its lines: kind and base, interfaces, members.</summary>
    internal static Dictionary<string, HashSet<string>> Read(string path)
    {
        using PEReader file = new(File.OpenRead(path));
        MetadataReader reader = file.GetMetadataReader();
        Dictionary<string, HashSet<string>> surface = [];
        foreach (TypeDefinitionHandle handle in reader.TypeDefinitions)
        {
            TypeDefinition type = reader.GetTypeDefinition(handle);
            if ((type.Attributes & TypeAttributes.VisibilityMask) is TypeAttributes.Public or TypeAttributes.NestedPublic)
            {
                surface[MetadataNames.NameOf(reader, handle)] = Lines(reader, type);
            }
        }

        return surface;
    }

    private static HashSet<string> Lines(MetadataReader reader, TypeDefinition type)
    {
        MetadataNames.Generics generics = new(ParametersOf(reader, type.GetGenericParameters()), []);
        TypeAttributes kind = type.Attributes & (TypeAttributes.Interface | TypeAttributes.Sealed | TypeAttributes.Abstract);
        HashSet<string> lines = [$"kind {kind} : {Names.Name(reader, type.BaseType, generics)}"];
        foreach (InterfaceImplementationHandle handle in type.GetInterfaceImplementations())
        {
            lines.Add($"implements {Names.Name(reader, reader.GetInterfaceImplementation(handle).Interface, generics)}");
        }

        lines.UnionWith(type.GetMethods().Select(handle => Method(reader, reader.GetMethodDefinition(handle), generics)).OfType<string>());
        lines.UnionWith(type.GetFields().Select(handle => Field(reader, reader.GetFieldDefinition(handle), generics)).OfType<string>());
        return lines;
    }

    // Virtual and final are left out where a class implements an interface: both sides may do it either way.
    private static string? Method(MetadataReader reader, MethodDefinition method, MetadataNames.Generics ofType)
    {
        if ((method.Attributes & MethodAttributes.MemberAccessMask) is not (MethodAttributes.Public or MethodAttributes.Family or MethodAttributes.FamORAssem))
        {
            return null;
        }

        MetadataNames.Generics generics = new(ofType.OfType, ParametersOf(reader, method.GetGenericParameters()));
        MethodSignature<string> signature = method.DecodeSignature(Names, generics);
        string[] parameters = [.. method.GetParameters()
            .Select(handle => reader.GetParameter(handle))
            .Where(parameter => parameter.SequenceNumber > 0)
            .OrderBy(parameter => parameter.SequenceNumber)
            .Select((parameter, i) => $"{signature.ParameterTypes[i]} {reader.GetString(parameter.Name)}{((parameter.Attributes & ParameterAttributes.Optional) != 0 ? "?" : "")}")];
        string access = (method.Attributes & MethodAttributes.MemberAccessMask) == MethodAttributes.Public ? "public" : "protected";
        string form = (method.Attributes & MethodAttributes.Static) != 0 ? "static " : (method.Attributes & MethodAttributes.Abstract) != 0 ? "abstract " : "";
        string constraints = string.Join(';', method.GetGenericParameters().Select(handle => Constraints(reader, handle, generics)));
        return $"{access} {form}{signature.ReturnType} {reader.GetString(method.Name)}<{string.Join(',', generics.OfMethod)}>({string.Join(", ", parameters)}) {constraints}";
    }

    private static string? Field(MetadataReader reader, FieldDefinition field, MetadataNames.Generics generics)
    {
        if ((field.Attributes & FieldAttributes.FieldAccessMask) is not (FieldAttributes.Public or FieldAttributes.Family))
        {
            return null;
        }

        ConstantHandle constant = field.GetDefaultValue();
        object? value = constant.IsNil
            ? null
            : reader.GetBlobReader(reader.GetConstant(constant).Value).ReadConstant(reader.GetConstant(constant).TypeCode);
        return $"field {field.DecodeSignature(Names, generics)} {reader.GetString(field.Name)} = {value}";
    }

    private static string Constraints(MetadataReader reader, GenericParameterHandle handle, MetadataNames.Generics generics)
    {
        GenericParameter parameter = reader.GetGenericParameter(handle);
        IEnumerable<string> types = parameter.GetConstraints()
            .Select(constraint => Names.Name(reader, reader.GetGenericParameterConstraint(constraint).Type, generics));
        return $"{parameter.Attributes}:{string.Join('&', types)}";
    }

    private static string[] ParametersOf(MetadataReader reader, GenericParameterHandleCollection parameters) =>
        [.. parameters.Select(handle => reader.GetString(reader.GetGenericParameter(handle).Name))];
}
